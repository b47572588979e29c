// Authenticator: turns what a request shows (an Authorization field, a client certificate) into an
// Identity, by asking its verifiers in turn.
//
// Takes header text, not an HTTP message. Two steps, so that the hot path never leaves its event
// loop: remembered() answers from memory; verify() may take long (bcrypt, a directory) and runs on
// a pool. What was verified is remembered as a keyed hash (HMAC-SHA-256 with a key that lives only
// in this process) for a bounded time, and forgotten when its verifier or the groups change.
// Failures are not remembered; wrong passwords are throttled by user and address, and by address.
// Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/group_file.h"
#include "auth/identity.h"
#include "auth/verifier.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/peer.h"

namespace berth::auth {

struct AuthenticatorOptions {
    std::chrono::seconds remember{std::chrono::minutes(10)};
    std::size_t remembered_max = 10'000;  // of passwords; and as many of all others
    // Failures of one user from one address, and of all users from one address (of IPv6: from one
    // /64 network), before answers turn to rate_limited, and for how long.
    int failures_max = 10;
    int address_failures_max = 100;
    std::chrono::seconds throttle{30};
};

// What a request shows. Valid for the call.
struct Presented {
    std::string_view authorization;                     // the field's text; empty: none
    std::string_view address = {};                      // the caller's; for the throttle
    const net::PeerCertificate* certificate = nullptr;  // counts where no authorization is given
};

using IdentityPtr = std::shared_ptr<const Identity>;

class Authenticator {
  public:
    // Without verifiers everybody is anonymous and credentials are ignored. `groups` may be null.
    Authenticator(std::vector<std::unique_ptr<Verifier>> verifiers,
                  std::unique_ptr<GroupFile> groups, AuthenticatorOptions options,
                  const Clock& clock);
    ~Authenticator();

    // Is there something to log in to?
    bool enabled() const;
    // The identity if these very credentials were verified before and that still holds; anonymous
    // for none. Null: verify() must be asked.
    IdentityPtr remembered(const Presented& presented);
    // Verifies and remembers. Errc::unauthenticated, rate_limited, or unavailable: nobody can say
    // now. A certificate that nobody knows is anonymous.
    Result<IdentityPtr> verify(const Presented& presented);
    // How verifications have ended so far: what was remembered is none.
    struct Counts {
        std::uint64_t verified = 0, failed = 0, throttled = 0, unavailable = 0;
    };
    Counts counts() const;
    // The account that a password would be verified by, with its groups now. nullopt: none. May
    // take long.
    Result<std::optional<Verifier::Account>> find(std::string_view user);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace berth::auth
