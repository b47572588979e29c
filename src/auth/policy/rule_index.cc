#include "auth/policy/rule_index.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <utility>

namespace berth::auth {
namespace {

// Beyond that a rule is posted for everyone, so that long lists of subjects and of patterns in one
// rule do not multiply.
constexpr std::size_t kPostingsOfRuleMax = 4096;
// No repository's name is longer, so longer ends of patterns are not worth a place.
constexpr std::size_t kEndMax = 255;
constexpr std::size_t kFacesAtOnce = 64;
constexpr std::size_t kTagStartMax = 128;

using Shares = std::map<std::string, std::size_t, std::less<>>;

std::uint64_t slot_key(std::uint32_t node, std::uint64_t face) {
    const std::uint64_t key = (face ^ (node * 0x9e3779b97f4a7c15u)) * 0xc4ceb9fe1a85ec53u;
    return (key ^ (key >> 29)) | 1u;
}

std::uint64_t face_bit(std::uint64_t face) {
    return std::uint64_t{1} << (face & 63);
}

// Of each start of a tag, by its length.
struct StartHashes {
    std::size_t length_max;
    std::array<std::uint32_t, kTagStartMax + 1> hashes;

    explicit StartHashes(std::string_view tag) : length_max(std::min(tag.size(), kTagStartMax)) {
        hashes[0] = 2166136261u;
        for (std::size_t i = 0; i < length_max; ++i)
            hashes[i + 1] = (hashes[i] ^ static_cast<unsigned char>(tag[i])) * 16777619u;
    }
};

std::string reversed(std::string_view text) {
    return {text.rbegin(), text.rend()};
}

}  // namespace

std::uint32_t RuleIndex::Literals::longest(std::string_view text) const {
    // Whatever sorts between a literal that starts the text and the text itself starts with that
    // literal, so the last one not after the text has all of them among its parents.
    const auto after = std::upper_bound(
        nodes.begin(), nodes.end(), text,
        [](std::string_view wanted, const Node& node) { return wanted < node.literal; });
    if (after == nodes.begin()) return kNowhere;
    auto place = static_cast<std::uint32_t>(after - nodes.begin() - 1);
    const std::string_view last = nodes[place].literal;
    const auto common = static_cast<std::size_t>(
        std::mismatch(last.begin(), last.end(), text.begin(), text.end()).first - last.begin());
    while (place != kNowhere && nodes[place].literal.size() > common)
        place = nodes[place].parent;
    return place;
}

class RuleIndex::Builder {
  public:
    explicit Builder(RuleIndex& index) : index_(index) {}

    void build() {
        choose_literals();
        for (std::uint32_t i = 0; i < index_.rules_.size(); ++i) {
            if (index_.rules_[i].effect == index_.effect_) post(i);
        }
        make_table();
    }

  private:
    struct Entry {
        std::uint64_t key;
        Posting posting;
    };
    struct Spot {
        Literals* literals;
        std::uint32_t place;
    };

    void choose_literals() {
        for_each_pattern([this](const Glob& pattern) {
            ++starts_[std::string(pattern.prefix())];
            ++ends_[reversed(pattern.suffix())];
        });
        Shares starts{{"", 0}}, ends;
        for_each_pattern([&](const Glob& pattern) {
            if (by_end(pattern)) {
                ends.emplace(reversed(pattern.suffix()), 0);
            } else {
                starts.emplace(pattern.prefix(), 0);
            }
        });
        fill(index_.starts_, starts, kAnywhere + 1);
        fill(index_.ends_, ends, kAnywhere + 1 + static_cast<std::uint32_t>(starts.size()));
    }

    template <class Visit>
    void for_each_pattern(const Visit& visit) const {
        for (const CompiledRule& rule : index_.rules_) {
            if (rule.effect != index_.effect_) continue;
            for (const Glob& pattern : rule.repositories)
                visit(pattern);
        }
    }

    bool by_end(const Glob& pattern) const {
        const std::string_view end = pattern.suffix();
        return !pattern.literal() && !end.empty() && end.size() <= kEndMax &&
               ends_.find(reversed(end))->second < starts_.find(pattern.prefix())->second;
    }

    static void fill(Literals& literals, const Shares& texts, std::uint32_t first_number) {
        literals.first_number = first_number;
        std::uint32_t open = kNowhere;  // the last node, then its parents
        for (const auto& [text, unused] : texts) {
            while (open != kNowhere && !text.starts_with(literals.nodes[open].literal))
                open = literals.nodes[open].parent;
            literals.nodes.push_back({text, open, 0});
            open = static_cast<std::uint32_t>(literals.nodes.size() - 1);
        }
    }

    Spot spot_of(const Glob& pattern) {
        if (by_end(pattern))
            return {&index_.ends_, index_.ends_.longest(reversed(pattern.suffix()))};
        return {&index_.starts_, index_.starts_.longest(pattern.prefix())};
    }

    void post(std::uint32_t number) {
        const CompiledRule& rule = index_.rules_[number];
        for (std::uint32_t i = 0; i < rule.subjects.size(); ++i)
            post_anywhere(number, i);
        const Spot everywhere{&index_.starts_, 0};
        if (rule.repositories.empty()) {
            post_subjects(everywhere, {number, kAll, kAll, rule.actions}, 1);
            return;
        }
        // What is done to the registry names no repository.
        if ((rule.actions & kOnRegistry) != 0) {
            post_subjects(everywhere, {number, kAll, kAll, rule.actions & kOnRegistry}, 1);
        }
        for (std::uint32_t i = 0; i < rule.repositories.size(); ++i) {
            post_subjects(spot_of(rule.repositories[i]),
                          {number, kAll, i, rule.actions & kOnRepositories},
                          rule.repositories.size());
        }
    }

    void post_anywhere(std::uint32_t number, std::uint32_t subject) {
        const CompiledRule& rule = index_.rules_[number];
        const bool everywhere =
            rule.repositories.empty() && rule.excluded.empty() && rule.tags.empty();
        if (rule.effect == Effect::deny && !everywhere) return;
        entries_.push_back({slot_key(kAnywhere, rule.subjects[subject].key()),
                            {number, subject, kAll, rule.actions & kOnRepositories}});
    }

    void post_subjects(Spot spot, Posting posting, std::size_t patterns) {
        const std::vector<Subject>& subjects = index_.rules_[posting.rule].subjects;
        if (subjects.size() * patterns > kPostingsOfRuleMax) {
            post_at(spot, everyone_.key(), posting);
            return;
        }
        for (std::uint32_t i = 0; i < subjects.size(); ++i) {
            posting.subject = i;
            post_at(spot, subjects[i].key(), posting);
        }
    }

    void post_at(Spot spot, std::uint64_t face, Posting posting) {
        if (posting.actions == 0) return;
        const std::vector<Glob>& tags = index_.rules_[posting.rule].tags;
        if (tags.size() == 1 && tags.front().prefix().size() <= kTagStartMax) {
            const StartHashes start(tags.front().prefix());
            posting.tag_length = static_cast<std::uint32_t>(start.length_max);
            posting.tag_hash = start.hashes[start.length_max];
        }
        spot.literals->nodes[spot.place].faces |= face_bit(face);
        entries_.push_back({slot_key(spot.literals->first_number + spot.place, face), posting});
    }

    void make_table() {
        const auto order = [](const Entry& entry) {
            return std::pair(entry.key, entry.posting.rule);
        };
        std::sort(entries_.begin(), entries_.end(),
                  [&](const Entry& a, const Entry& b) { return order(a) < order(b); });
        index_.slots_.resize(std::bit_ceil(2 * entries_.size() + 1));
        const std::size_t mask = index_.slots_.size() - 1;
        for (const Entry& entry : entries_) {
            std::size_t i = entry.key >> 1 & mask;
            while (index_.slots_[i].key != 0 && index_.slots_[i].key != entry.key)
                i = (i + 1) & mask;
            Slot& slot = index_.slots_[i];
            if (slot.key == 0) {
                slot = {entry.key, static_cast<std::uint32_t>(index_.postings_.size()), 0};
            }
            ++slot.count;
            index_.postings_.push_back(entry.posting);
        }
    }

    RuleIndex& index_;
    const Subject everyone_ = *Subject::parse("everyone");
    Shares starts_, ends_;  // how many patterns have it
    std::vector<Entry> entries_;
};

RuleIndex::RuleIndex(std::span<const CompiledRule> rules, Effect effect)
    : rules_(rules), effect_(effect) {
    Builder(*this).build();
}

std::span<const RuleIndex::Posting> RuleIndex::at(std::uint32_t node, std::uint64_t face) const {
    const std::uint64_t key = slot_key(node, face);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = key >> 1 & mask; slots_[i].key != 0; i = (i + 1) & mask) {
        if (slots_[i].key == key)
            return std::span(postings_).subspan(slots_[i].begin, slots_[i].count);
    }
    return {};
}

struct RuleIndex::Search {
    const Identity& who;
    const AccessRequest& request;
    std::string_view user;
    Find which;
    StartHashes tag{request.tag};
    std::size_t found = kNone;

    // Its only tag pattern certainly does not match.
    bool other_tag(const Posting& posting) const {
        return tag.length_max > 0 &&
               (posting.tag_length > tag.length_max ||
                (posting.tag_length > 0 && tag.hashes[posting.tag_length] != posting.tag_hash));
    }
    bool done() const { return which == Find::any && found != kNone; }
};

bool RuleIndex::applies(const Posting& posting, const Subject::Face& face,
                        const Search& search) const {
    if ((posting.actions & bit(search.request.action)) == 0 || search.other_tag(posting))
        return false;
    // What was found by the caller's face nearly always fits the caller, so that comes late.
    const CompiledRule& rule = rules_[posting.rule];
    if (!rule.on_tag(search.request) || !rule.in_force(search.request.at)) return false;
    const bool there = posting.pattern == kAll ? rule.on_repository(search.request, search.user)
                                               : rule.repositories[posting.pattern].matches(
                                                     search.request.repository, search.user) &&
                                                     !rule.excludes(search.request, search.user);
    const bool about = there && (posting.subject == kAll
                                     ? rule.about(search.who)
                                     : rule.subjects[posting.subject].matches(face, search.who));
    return about && rule.from(search.request.address);
}

void RuleIndex::look(const Literals& literals, std::uint32_t place,
                     std::span<const Subject::Face> faces, Search& search) const {
    for (; place != kNowhere; place = literals.nodes[place].parent) {
        const std::uint64_t known = literals.nodes[place].faces;
        for (const Subject::Face& face : faces) {
            if ((known & face_bit(face.key)) == 0) continue;
            for (const Posting& posting : at(literals.first_number + place, face.key)) {
                if (posting.rule >= search.found) break;
                if (!applies(posting, face, search)) continue;
                search.found = posting.rule;
                if (search.done()) return;
            }
        }
    }
}

std::size_t RuleIndex::find(const Identity& who, const AccessRequest& request, Find which) const {
    if (postings_.empty()) return kNone;
    Search search{who, request, user_of(who), which};
    const std::uint32_t start = starts_.longest(request.repository);
    std::uint32_t end = kNowhere;
    if (!ends_.nodes.empty()) {
        std::array<char, kEndMax> tail{};
        const std::size_t length = std::min(request.repository.size(), tail.size());
        std::reverse_copy(request.repository.end() - static_cast<std::ptrdiff_t>(length),
                          request.repository.end(), tail.begin());
        end = ends_.longest({tail.data(), length});
    }
    std::array<Subject::Face, kFacesAtOnce> buffer;
    Faces all(who);
    for (auto faces = all.next(buffer); !faces.empty() && !search.done();
         faces = all.next(buffer)) {
        look(starts_, start, faces, search);
        if (!search.done()) look(ends_, end, faces, search);
    }
    return search.found;
}

Actions RuleIndex::actions_of(const Identity& who, std::string_view address, Time now) const {
    Actions actions = 0;
    if (postings_.empty()) return actions;
    std::array<Subject::Face, kFacesAtOnce> buffer;
    Faces all(who);
    for (auto faces = all.next(buffer); !faces.empty(); faces = all.next(buffer)) {
        for (const Subject::Face& face : faces) {
            for (const Posting& posting : at(kAnywhere, face.key)) {
                if ((posting.actions & ~actions) == 0) continue;
                const CompiledRule& rule = rules_[posting.rule];
                if (rule.subjects[posting.subject].matches(face, who) && rule.in_force(now) &&
                    rule.from(address)) {
                    actions |= posting.actions;
                }
            }
        }
    }
    return actions;
}

}  // namespace berth::auth
