// Authenticator: turns an Authorization header into an Identity.
//
// Takes header text, not an HTTP message. Two steps, so that the hot path never leaves its event
// loop: remembered() answers from memory; verify() may take long (bcrypt) and runs on a pool. A
// verified password is remembered as a keyed hash (HMAC-SHA-256 with a key that lives only in this
// process) for a bounded time, and forgotten when the password file changes. Failures are not
// remembered; they are throttled by user and address. Thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/identity.h"
#include "auth/password_file.h"
#include "base/clock.h"
#include "base/result.h"

namespace berth::auth {

struct Credentials {
    std::string user;
    std::string password;
};

// RFC 7617. Errc::unauthenticated for anything that is not well-formed Basic.
Result<Credentials> parse_basic(std::string_view authorization);

struct AuthenticatorOptions {
    std::chrono::seconds remember{std::chrono::minutes(10)};
    std::size_t remembered_max = 10'000;
    // Failures of one user from one address before answers turn to rate_limited, and for how long.
    int failures_max = 10;
    std::chrono::seconds throttle{30};
};

class Authenticator {
  public:
    // Without `passwords` everybody is anonymous and an Authorization header is ignored.
    Authenticator(std::unique_ptr<PasswordFile> passwords, AuthenticatorOptions options,
                  const Clock& clock);
    ~Authenticator();

    // Is there something to log in to?
    bool enabled() const;
    // The identity if this very header was verified before and still holds; anonymous for an empty
    // header.
    std::shared_ptr<const Identity> remembered(std::string_view authorization);
    // Verifies and remembers. Errc::unauthenticated, or Errc::rate_limited.
    Result<std::shared_ptr<const Identity>> verify(std::string_view authorization,
                                                   std::string_view address);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace berth::auth
