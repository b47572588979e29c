// Subject: whom a rule is about.
#pragma once

#include <string>
#include <string_view>

#include "auth/identity.h"
#include "base/result.h"

namespace berth::auth {

class Subject {
  public:
    // Errc::invalid names the nearest valid subject.
    static Result<Subject> parse(std::string_view text);

    // Does not allocate.
    bool matches(const Identity& who) const;

  private:
    enum class Kind { user, group, robot, oidc, authenticated, anonymous, everyone };

    Kind kind_{};
    std::string name_;
};

}  // namespace berth::auth
