// The policy: may they? Pure: a request goes in, a decision with the rule that made it comes out.
//
// Rules as in docs/security.md, "Who may do what". What no rule allows is denied; a rule with
// `effect: deny` wins over every rule that allows. Without a policy section, whoever is let in may
// do anything, as with registry:2.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/identity.h"
#include "base/result.h"

namespace berth::auth {

enum class Action { pull, create, overwrite, remove, catalog, admin };

// As it is written in a policy: `delete` for Action::remove.
std::string_view name_of(Action action);

enum class Effect { allow, deny };

// A rule as it stands in the configuration; empty `repositories` or `tags`: all. `user:`, `robot:`
// and `oidc:` subjects are told apart by Identity::proof.
struct Rule {
    std::string name;
    Effect effect = Effect::allow;
    std::vector<std::string> subjects;
    std::vector<std::string> actions;
    std::vector<std::string> repositories;
    std::vector<std::string> tags;
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
};

struct Decision {
    bool allowed = false;
    std::string rule;    // the deciding rule's name; empty: no rule applied
    std::string reason;  // a sentence for the 403 body, the audit and `policy explain`
};

// Immutable once made, so it is shared by all threads.
class Policy {
  public:
    // Compiles the rules; Errc::invalid names the rule and what is wrong with it (an unknown action
    // or subject, with the nearest valid word). A rule without a name is called `rule N`.
    static Result<Policy> compile(std::vector<Rule> rules);
    // Everybody may do anything.
    static Policy open();
    // Everybody who has logged in may do anything.
    static Policy any_user();

    // Allocates only for the decision's texts; the hot path uses allows().
    Decision decide(const Identity& who, const AccessRequest& request) const;
    // The same answer without its reasons and without allocating.
    bool allows(const Identity& who, const AccessRequest& request) const;
    // Could this identity be allowed anything on some repository? False for anonymous callers
    // means: ask for a login at GET /v2/.
    bool may_enter(const Identity& who) const;

  private:
    struct Compiled;
    Policy();
    std::shared_ptr<const Compiled> compiled_;
};

}  // namespace berth::auth
