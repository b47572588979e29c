// Verifier: a place that can say whose credentials these are: the password file, a directory, the
// tokens of an issuer, the table of certificates.
//
// The authenticator asks its verifiers in turn; the first that knows the credentials wins. All
// wrong passwords take the same way, so that nobody learns from time or text whether a user exists.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "auth/identity.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/peer.h"

namespace berth::auth {

struct Credentials {
    enum class Scheme { basic, bearer, certificate };

    Scheme scheme = Scheme::basic;
    std::string user = {};                              // of basic
    std::string secret = {};                            // the password, or the token
    const net::PeerCertificate* certificate = nullptr;  // of certificate; TLS has verified it
};

// RFC 7617 and RFC 6750. Errc::unauthenticated for anything that is not a well-formed Basic or
// Bearer. Never quotes what it was given.
Result<Credentials> parse_authorization(std::string_view authorization);

// What a verifier found.
struct Login {
    Identity identity = {};
    // When it must be verified anew, at the latest (a token's end). The authenticator has a bound
    // of its own.
    Time expires = Time::max();
    // For how long after that it still counts while the verifier says Errc::unavailable.
    std::chrono::seconds grace{0};
    // The credentials stand for a user whom others keep: where there are such verifiers, one of
    // them must (still) find that user, who then has the name and the groups it says.
    bool needs_account = false;
};

// Thread-safe.
class Verifier {
  public:
    virtual ~Verifier() = default;

    // Counts up whenever something it said before may no longer hold. For the hot path: never
    // waits.
    virtual std::uint64_t version() = 0;

    // Whose are they? nullopt: not mine, or wrong; the next one is asked. Errc::unauthenticated:
    // mine, and no good, with a sentence for the caller (a token that has expired); nobody else is
    // asked. Errc::unavailable: cannot tell now. May take long: called from a pool.
    virtual Result<std::optional<Login>> verify(const Credentials& credentials) = 0;

    // Does it keep users, so that one it does not find is none?
    virtual bool keeps_users() const { return false; }
    // Is there (still) such a user, whose password it would verify? For tokens that stand for a
    // password that was verified long ago. nullopt: no. May take long. `mark` changes when the
    // password does, where that can be known.
    struct Account {
        Identity identity;
        std::string mark;
    };
    virtual Result<std::optional<Account>> find(std::string_view user) {
        static_cast<void>(user);
        return std::nullopt;
    }
};

}  // namespace berth::auth
