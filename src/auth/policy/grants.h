// Grants: what a credential is limited to, whoever holds it: the `access` of a bearer token, the
// `--allow` of an access token. A value; the policy must allow it as well.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/policy/glob.h"
#include "base/result.h"

namespace berth::auth {

struct AccessRequest;

class Grants {
  public:
    // Covers nothing.
    Grants() = default;
    // Texts like `pull,push:team/**`, `delete:team/app`, `catalog`, `admin`: the policy's words for
    // actions (`*`: pull, push and delete), and a pattern of repositories. Errc::invalid names the
    // text and what is wrong with it.
    static Result<Grants> parse(const std::vector<std::string>& texts);
    // One entry of a token's `access` (Docker token specification): `repository`, a name that is
    // taken literally, and pull, push (or one half of it, create or overwrite), delete or `*`; or
    // `registry`, `catalog`, `*`. Types and actions that are not known give nothing.
    void add(std::string_view type, std::string_view name, const std::vector<std::string>& actions);

    // Does not allocate. `user` stands for {user} in a pattern.
    bool cover(const AccessRequest& request, std::string_view user) const;

  private:
    struct Grant {
        unsigned actions = 0;  // a bit for each Action
        std::string name;      // the repository, if there is no pattern; empty: the registry's own
        std::optional<Glob> repositories;
    };
    static Result<Grant> parse_one(std::string_view text);

    std::vector<Grant> grants_;
};

}  // namespace berth::auth
