// RuleIndex: finds the rules of one effect that may apply to a request, without looking at the
// others: by what the caller is, and by what the repository's name starts or ends with.
//
// Each rule is posted under the key of each of its subjects, at the literal start or end of each of
// its patterns, whichever fewer patterns share. A request looks up each of the caller's faces at
// each literal that fits its repository: a few, found by one search in sorted texts. What is found
// there is checked in full, so equal keys cost time only. Immutable; looking up does not allocate.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/policy/compiled_rule.h"

namespace berth::auth {

class RuleIndex {
  public:
    static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
    enum class Find { first, any };

    RuleIndex() = default;
    // `rules` outlives it; only those of `effect` count.
    RuleIndex(std::span<const CompiledRule> rules, Effect effect);

    // A rule that applies, by its place among the rules; kNone: none does.
    std::size_t find(const Identity& who, const AccessRequest& request, Find which) const;
    // What the rules allow (or deny everywhere) to this caller, on whatever repository.
    Actions actions_of(const Identity& who, std::string_view address, Time now) const;

  private:
    static constexpr std::uint32_t kAll = std::numeric_limits<std::uint32_t>::max();
    static constexpr std::uint32_t kNowhere = kAll;
    // The node without a literal where each rule stands once for each subject, for actions_of().
    static constexpr std::uint32_t kAnywhere = 0;

    struct Posting {
        std::uint32_t rule;
        std::uint32_t subject;  // kAll: any of the rule's
        std::uint32_t pattern;  // kAll: any of the rule's
        Actions actions;
        // How the rule's tags start, to pass over it without looking at it; length 0: not known.
        std::uint32_t tag_length = 0, tag_hash = 0;
    };
    // A literal that patterns start (or end) with, and the longest other one that starts it.
    struct Node {
        std::string literal;
        std::uint32_t parent = kNowhere;
        std::uint64_t faces = 0;  // a bit for each key that has postings here, by its low 6 bits
    };
    // Nodes in the order of their literals, numbered from `first_number`.
    struct Literals {
        std::vector<Node> nodes;
        std::uint32_t first_number = 0;

        // The longest literal that starts the text; its parents start it too. kNowhere: none.
        std::uint32_t longest(std::string_view text) const;
    };
    struct Slot {
        std::uint64_t key = 0;  // 0: free
        std::uint32_t begin = 0, count = 0;
    };
    class Builder;
    struct Search;

    std::span<const Posting> at(std::uint32_t node, std::uint64_t face) const;
    // Looks at the literal in that place, and its parents.
    void look(const Literals& literals, std::uint32_t place, std::span<const Subject::Face> faces,
              Search& search) const;
    bool applies(const Posting& posting, const Subject::Face& face, const Search& search) const;

    std::span<const CompiledRule> rules_;
    Effect effect_ = Effect::allow;
    Literals starts_;  // holds "", where everything is posted that no pattern narrows
    Literals ends_;    // reversed
    std::vector<Posting> postings_;
    std::vector<Slot> slots_;  // open addressing; a power of two
};

}  // namespace berth::auth
