// AccessTokens: secrets that stand for a user (a personal access token) or for a robot, each with
// what it is limited to and until when. They are kept in a file as hashes only, so that the command
// line and a running server share them without talking to each other; the server notices changes
// by itself. Also kept there: since when what was issued to somebody is void.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/verifier.h"
#include "base/clock.h"
#include "base/result.h"

namespace berth::auth {

struct Revocations;

struct AccessToken {
    std::string id = {};    // names it in lists and logs
    std::string name = {};  // of the user or robot
    Identity::Kind kind = Identity::Kind::user;
    std::string description = {};
    std::vector<std::string> allow = {};  // as Grants::parse takes them; empty: no limit
    Time created = {};
    std::optional<Time> expires = std::nullopt;
    std::optional<Time> last_used = std::nullopt;
    std::string created_by = {};

    bool expired(Time now) const { return expires && *expires <= now; }
};

std::string_view name_of(Identity::Kind kind);  // user, robot, oidc

// The beginning of every secret, by which people and scanners know one.
inline constexpr std::string_view kAccessTokenPrefix = "berth_";

class AccessTokens {
  public:
    // A file that is not there yet holds none. `report`: a broken file, which leaves the one before
    // in force.
    static Result<std::unique_ptr<AccessTokens>> open(std::string path, const Clock& clock,
                                                      std::function<void(const Error&)> report);
    ~AccessTokens();

    // The file is rewritten safely, mode 0600; processes wait for each other. A broken one is left
    // as it is: Errc::corrupt. Its folder must be there, else Errc::io. `secret` is what its
    // holder shows, and is never seen again. Of `wanted`, the id, when it was made and when it was
    // used are set here. Errc::invalid names what cannot be; Errc::conflict: there are too many.
    struct Created {
        AccessToken token;
        std::string secret;
    };
    Result<Created> create(AccessToken wanted);
    // Those that have expired too; the oldest first.
    Result<std::vector<AccessToken>> list();
    Result<void> revoke(std::string_view id);  // Errc::not_found
    // Everything that was issued to this user by the token service until now is void.
    Result<void> revoke_issued(std::string_view user);
    // For the verifier of what the token service issued: also what it issued for an access token
    // that does not hold any more is void. This outlives them.
    Revocations revocations();
    // nullopt: never.
    std::optional<Time> issued_revoked_at(std::string_view user);

    // Verifies them, as a Basic password together with the holder's name, or as a bearer. This
    // outlives it. Whatever has the form of a secret is its own: no other verifier, and no
    // directory, gets to see it.
    std::unique_ptr<Verifier> verifier();
    // Writes down which were used when, beside the file (PATH.used); call now and then, and at the
    // end. A use that the authenticator answers from its memory is not seen here.
    Result<void> save_last_used();

  private:
    struct State;
    class TokenVerifier;
    explicit AccessTokens(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace berth::auth
