// The policy: may they? Pure: a request goes in, a decision with the rule that made it comes out.
//
// Rules as in docs/configure.md, "policy". What no rule allows is denied; a rule with `effect:
// deny` wins over every rule that allows. Without a policy section, whoever is let in may do
// anything, as with registry:2.
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

// A rule as it stands in the configuration; empty `repositories` or `tags`: all.
struct Rule {
    std::string name;
    Effect effect = Effect::allow;
    std::vector<std::string> subjects;
    std::vector<std::string> actions;
    std::vector<std::string> repositories;
    std::vector<std::string> tags;
};

// What somebody wants to do. `tag` is empty where no tag is meant (blobs, pushes by digest); a rule
// with `tags` then does not apply if it allows, so that no tag rule gives more than the tags it
// names.
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
    // or subject, with the nearest valid word).
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
