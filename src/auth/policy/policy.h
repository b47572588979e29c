// The policy: may they? Pure: a request goes in, a decision with the rule that made it comes out.
//
// Rules as in docs/security.md, "Who may do what". What no rule allows is denied; a rule with
// `effect: deny` wins over every rule that allows. Without a policy section, whoever is let in may
// do anything, as with registry:2. A credential's own grants narrow what the rules allow.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/identity.h"
#include "base/clock.h"
#include "base/result.h"

namespace berth::auth {

enum class Action { pull, create, overwrite, remove, catalog, admin };

// As it is written in a policy: `delete` for Action::remove.
std::string_view name_of(Action action);

enum class Effect { allow, deny };

// A rule as it stands in the configuration; empty `repositories`, `tags` or `addresses`: all. A
// repository pattern with `!` before it leaves out; if there are only such, all others are meant.
// Where something is not known, the answer is the safe one: a caller without an address is in no
// network, so a rule with `addresses` does not apply; and a rule with `expires` applies at an
// unknown time only if it denies.
struct Rule {
    std::string name = {};
    Effect effect = Effect::allow;
    std::vector<std::string> subjects = {};
    std::vector<std::string> actions = {};
    std::vector<std::string> repositories = {};
    std::vector<std::string> tags = {};
    std::vector<std::string> addresses = {};  // of the caller: addresses or networks
    std::optional<Time> expires = {};         // from then on the rule does not apply
};

// What somebody wants to do. `tag` is empty where none is meant (blobs, anything by digest). What a
// rule with `tags` says about that: allowing pull or create, it applies, or nobody could pull or
// push the blobs of the tags it names; denying them, it does not, or no other tag could be pushed.
// Deletes by digest take tags along, so there it is the other way round. For the catalog, of which
// a caller sees what it may pull, the repositories of a rule that allows do not count.
struct AccessRequest {
    Action action{};
    std::string_view repository;  // empty for catalog and admin
    std::string_view tag;
    std::string_view address = {};  // the caller's, numeric; empty: not known, as on a unix socket
    Time at = {};                   // now; the epoch: not known
};

// How the reason of a decision starts that is beyond_grants; the audit log keeps the reason only.
inline constexpr std::string_view kBeyondGrants = "this token does not allow ";

struct Decision {
    bool allowed = false;
    std::string rule;    // the deciding rule's name; empty: none did
    std::string reason;  // a sentence for the 403 body, the audit and `policy explain`
    // The policy allows it, but the credential's grants do not cover it: another token may do.
    bool beyond_grants = false;
};

// Why a rule decided, or did not: several may hold at once.
enum class Why {
    decides,
    overruled,      // it applies, but a rule that denies decides
    later,          // it applies, but one of the same effect before it decides
    beyond_grants,  // it would decide, but the credential's grants do not cover the request
    other_action,
    other_subject,
    other_repository,
    other_tag,
    other_address,
    expired,
};
// `other repository`.
std::string_view text_of(Why why);

struct Explanation {
    struct RuleAnswer {
        std::string rule;
        Effect effect{};
        std::vector<Why> whys;
    };
    Decision decision;
    std::vector<RuleAnswer> rules;  // all, in their order; none where no policy is set
};

// Immutable once made, so it is shared by all threads.
class Policy {
  public:
    // Compiles the rules; Errc::invalid names the rule and what is wrong with it (an unknown action
    // or subject, with the nearest valid word). A rule without a name is called `rule N`.
    static Result<Policy> compile(std::vector<Rule> rules);
    // Everybody may do anything.
    static Policy open();
    // Everybody who has logged in may do anything but administer.
    static Policy any_user();
    // Whoever holds a token may do what it grants, and nobody else anything (registry:2's
    // `auth.token`).
    static Policy by_grants();

    // Allocates only for the decision's texts; the hot path uses allows().
    Decision decide(const Identity& who, const AccessRequest& request) const;
    // The same answer without its reasons and without allocating.
    bool allows(const Identity& who, const AccessRequest& request) const;
    // The same decision, reached by looking at each rule in turn, and what was seen. For people.
    Explanation explain(const Identity& who, const AccessRequest& request) const;
    // Could this identity be allowed anything on some repository? False for anonymous callers
    // means: ask for a login at GET /v2/. The grants of a credential do not count, as clients try a
    // login with a token for nothing; but by_grants() wants some, be they empty.
    bool may_enter(const Identity& who, std::string_view address = {}, Time now = {}) const;

  private:
    enum class Kind { rules, open, any_user, by_grants };
    struct Compiled;

    explicit Policy(std::shared_ptr<const Compiled> compiled);
    static Policy for_all(Kind kind, std::string_view subject);
    Decision decision(std::size_t rule, const Identity& who, const AccessRequest& request) const;

    std::shared_ptr<const Compiled> compiled_;
};

}  // namespace berth::auth
