#include "auth/policy/subject.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "base/nearest.h"

namespace berth::auth {
namespace {

using Named = std::pair<std::string_view, Subject::Kind>;
constexpr std::array<Named, 4> kWithName{{
    {"user", Subject::Kind::user},
    {"group", Subject::Kind::group},
    {"robot", Subject::Kind::robot},
    {"oidc", Subject::Kind::oidc},
}};
constexpr std::array<Named, 3> kAlone{{
    {"authenticated", Subject::Kind::authenticated},
    {"anonymous", Subject::Kind::anonymous},
    {"everyone", Subject::Kind::everyone},
}};

// The claim that tells the repository a workload runs for: GitHub's name for it, then GitLab's.
constexpr std::string_view kRepository = "repo";
constexpr std::array<std::string_view, 2> kRepositoryClaims{"repository", "project_path"};

Error unknown_subject(std::string_view text) {
    static constexpr std::array<std::string_view, 7> kWords{
        "user", "group", "robot", "oidc", "authenticated", "anonymous", "everyone"};
    const auto colon = text.find(':');
    std::string detail = "unknown subject '" + std::string(text) + "'";
    const std::string_view meant = nearest(text.substr(0, colon), kWords);
    const bool alone = std::any_of(kAlone.begin(), kAlone.end(),
                                   [&](auto& entry) { return entry.first == meant; });
    if (!meant.empty()) {
        detail += "; did you mean '" + std::string(meant);
        if (!alone) detail += colon == text.npos ? ":NAME" : std::string(text.substr(colon));
        detail += "'?";
    } else if (colon == text.npos) {
        detail += "; for a user write 'user:" + std::string(text) + "'";
    } else {
        detail +=
            "; known are user:NAME, group:NAME, robot:NAME, oidc:NAME, authenticated, "
            "anonymous and everyone";
    }
    return {Errc::invalid, std::move(detail)};
}

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    std::uint64_t mixed = (a ^ (b + 0x9e3779b97f4a7c15u)) * 0xff51afd7ed558ccdu;
    return mixed ^ (mixed >> 32);
}

std::uint64_t hash(std::string_view text) {
    return std::hash<std::string_view>()(text);
}

std::uint64_t key_of(Subject::Kind kind, std::string_view name) {
    return mix(hash(name), static_cast<std::uint64_t>(kind));
}

std::uint64_t key_of_claim(std::string_view provider, std::string_view claim,
                           std::string_view value) {
    return mix(mix(key_of(Subject::Kind::oidc, provider), hash(claim)), hash(value));
}

bool is_repository(std::string_view claim) {
    return std::find(kRepositoryClaims.begin(), kRepositoryClaims.end(), claim) !=
           kRepositoryClaims.end();
}

// Null: the token does not have it.
const std::string* find_claim(const Identity& who, const std::string& claim) {
    if (claim == kRepository) {
        for (const std::string_view name : kRepositoryClaims) {
            const auto found = who.claims.find(name);
            if (found != who.claims.end()) return &found->second;
        }
        return nullptr;
    }
    const auto found = who.claims.find(claim);
    return found == who.claims.end() ? nullptr : &found->second;
}

}  // namespace

Result<Subject> Subject::parse(std::string_view text) {
    Subject subject;
    const auto colon = text.find(':');
    const std::string_view word = text.substr(0, colon);
    const auto is_word = [word](const Named& entry) { return entry.first == word; };
    if (colon == text.npos) {
        const auto* found = std::find_if(kAlone.begin(), kAlone.end(), is_word);
        if (found == kAlone.end()) return std::unexpected(unknown_subject(text));
        subject.kind_ = found->second;
        subject.key_ = subject.make_key();
        return subject;
    }
    const auto* found = std::find_if(kWithName.begin(), kWithName.end(), is_word);
    if (found == kWithName.end()) return std::unexpected(unknown_subject(text));
    subject.kind_ = found->second;
    std::string_view name = text.substr(colon + 1);
    if (subject.kind_ == Kind::oidc) {
        const auto space = std::min(name.find(' '), name.size());
        auto parsed = subject.parse_conditions(name.substr(space));
        if (!parsed) {
            return std::unexpected(
                std::move(parsed.error()).with_context("the subject '" + std::string(text) + "'"));
        }
        name = name.substr(0, space);
    }
    if (name.empty()) {
        return fail(Errc::invalid, "the subject '" + std::string(text) + "' names nobody");
    }
    subject.name_ = name;
    subject.key_ = subject.make_key();
    return subject;
}

Result<void> Subject::parse_conditions(std::string_view words) {
    while (!words.empty()) {
        if (words.front() == ' ') {
            words.remove_prefix(1);
            continue;
        }
        const std::string_view word = words.substr(0, words.find(' '));
        words.remove_prefix(word.size());
        const auto equals = word.find('=');
        if (equals == word.npos || equals == 0) {
            return fail(Errc::invalid,
                        "'" + std::string(word) +
                            "' is no condition: write CLAIM=PATTERN, with a * for each space");
        }
        auto value = Glob::parse_text(word.substr(equals + 1));
        if (!value) {
            return std::unexpected(
                std::move(value.error())
                    .with_context("the pattern of '" + std::string(word.substr(0, equals)) + "'"));
        }
        conditions_.push_back({std::string(word.substr(0, equals)), std::move(*value)});
    }
    return {};
}

std::uint64_t Subject::make_key() const {
    for (const Condition& condition : conditions_) {
        if (condition.value.literal())
            return key_of_claim(name_, condition.claim, condition.value.prefix());
    }
    return key_of(kind_, name_);
}

bool Subject::conditions_hold(const Identity& who) const {
    return std::all_of(conditions_.begin(), conditions_.end(), [&](const Condition& condition) {
        const std::string* const value = find_claim(who, condition.claim);
        return value && condition.value.matches(*value);
    });
}

bool Subject::matches(const Identity& who) const {
    switch (kind_) {
        case Kind::everyone:
            return true;
        case Kind::anonymous:
            return who.anonymous();
        // A public provider gives a token to anybody who runs a job there: such a login alone says
        // nothing, so a rule must name the provider.
        case Kind::authenticated:
            return !who.anonymous() && who.kind != Identity::Kind::oidc;
        case Kind::group:
            return std::find(who.groups.begin(), who.groups.end(), name_) != who.groups.end();
        case Kind::robot:
            return who.kind == Identity::Kind::robot && who.name == name_;
        case Kind::oidc:
            return !who.anonymous() && who.kind == Identity::Kind::oidc && who.provider == name_ &&
                   conditions_hold(who);
        case Kind::user:
            return who.kind == Identity::Kind::user && who.name == name_;
    }
    return false;
}

bool Subject::matches(const Face& face, const Identity& who) const {
    return kind_ == face.kind && name_ == face.name &&
           (conditions_.empty() || conditions_hold(who));
}

bool Subject::covers(const Subject& other) const {
    if (kind_ == Kind::everyone) return true;
    if (kind_ == Kind::authenticated && (other.kind_ == Kind::user || other.kind_ == Kind::robot))
        return true;
    if (kind_ != other.kind_ || name_ != other.name_) return false;
    return std::all_of(conditions_.begin(), conditions_.end(), [&](const Condition& needed) {
        return std::any_of(
            other.conditions_.begin(), other.conditions_.end(), [&](const Condition& given) {
                return given.claim == needed.claim && needed.value.covers(given.value);
            });
    });
}

std::span<const Subject::Face> Faces::next(std::span<Subject::Face> buffer) {
    std::size_t count = 0;
    while (count < buffer.size() && make(buffer[count]))
        ++count;
    return buffer.first(count);
}

bool Faces::make(Subject::Face& face) {
    using Kind = Subject::Kind;
    const bool oidc = !who_.anonymous() && who_.kind == Identity::Kind::oidc;
    if (at_ == 0) {
        face = {0, Kind::everyone, {}};
    } else if (at_ == 1 && who_.anonymous()) {
        face = {0, Kind::anonymous, {}};
    } else if (at_ == 1) {
        face = {0, oidc ? Kind::oidc : Kind::authenticated,
                oidc ? std::string_view(who_.provider) : std::string_view()};
    } else if (at_ == 2 && !oidc) {
        face = {0, who_.kind == Identity::Kind::robot ? Kind::robot : Kind::user, who_.name};
    } else if (const std::size_t first = oidc ? 2 : 3; at_ - first < who_.groups.size()) {
        face = {0, Kind::group, who_.groups[at_ - first]};
    } else if (oidc && claim_ != who_.claims.end()) {
        // A repository's claim once by its own name, and once by the short one.
        const std::string_view claim = short_name_due_ ? kRepository : claim_->first;
        face = {key_of_claim(who_.provider, claim, claim_->second), Kind::oidc, who_.provider};
        short_name_due_ = !short_name_due_ && is_repository(claim_->first);
        if (!short_name_due_) ++claim_;
        return true;
    } else {
        return false;
    }
    face.key = key_of(face.kind, face.name);
    ++at_;
    return true;
}

}  // namespace berth::auth
