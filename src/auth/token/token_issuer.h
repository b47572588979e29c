// TokenIssuer: Berth's own token service (Docker token specification): bearer tokens that let their
// holder do a part of what the policy allows for a short time, and refresh tokens for new ones.
//
// A refresh token stands for an account until that changes (its password, say). It is never taken
// where a bearer token is, nor the other way round: they have types and audiences of their own.
// Thread-safe. May read the folder of keys: called from a pool, but for version().
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/identity.h"
#include "auth/token/jwt.h"
#include "auth/token/scope.h"
#include "auth/verifier.h"
#include "base/clock.h"
#include "base/result.h"

namespace berth::auth {

struct IssuerOptions {
    std::string issuer = "berth";
    std::string service;              // the audience; empty: the host that the client asked
    std::string algorithm = "ES256";  // of a key that is made: ES256, RS256, EdDSA
    std::string keys;  // folder, see signing_keys.h; empty: keys die with this process
    std::chrono::seconds lifetime{300};  // a minute at least, as clients expect
    std::chrono::seconds refresh_lifetime{90 * 24 * 3600};
};

class TokenIssuer {
  public:
    // Makes the first key where there is none. `report`: a broken folder of keys, which leaves
    // those before in force. `clock` outlives it.
    static Result<std::unique_ptr<TokenIssuer>> open(IssuerOptions options, const Clock& clock,
                                                     std::function<void(const Error&)> report);
    ~TokenIssuer();

    const IssuerOptions& options() const;

    struct Issued {
        std::string token;
        Time at;
        std::chrono::seconds lifetime;
    };
    // `granted` are scopes that the policy has been asked about. `audience` counts where the
    // options name no service.
    Issued issue(const Identity& who, const std::vector<Scope>& granted,
                 std::string_view audience) const;

    // What issue() was given. Errc::unauthenticated; Errc::not_found: none of ours.
    struct Access {
        Identity who;  // with what the token grants
        Time issued_at;
        Time expires;
    };
    Result<Access> verify(std::string_view token) const;

    // Stands for the account as it is now. `account` is as its verifier found it.
    Issued issue_refresh(const Verifier::Account& account, std::string_view audience) const;
    struct Refresh {
        std::string user;
        std::string mark;  // of the account, keyed: for is_unchanged()
        Time issued_at;
    };
    // Whose refresh token is it? Errc::unauthenticated.
    Result<Refresh> verify_refresh(std::string_view token, std::string_view audience) const;
    // Is the account the one that the token was issued for?
    bool is_unchanged(const Refresh& refresh, const Verifier::Account& account) const;

    // The public keys as a JWKS.
    std::string jwks() const;
    // Counts up when the keys change.
    std::uint64_t version() const;

  private:
    struct State;
    explicit TokenIssuer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// What was issued to somebody until some time may be void, and so may what was issued for a
// credential that does not hold any more; `version` counts up when an answer changes. Each may be
// null.
struct Revocations {
    std::function<bool(std::string_view credential)> holds = {};
    std::function<std::optional<Time>(std::string_view user)> revoked_at = {};
    std::function<std::uint64_t()> version = {};
};

// Verifies the bearer tokens that the issuer issued: who they were issued to, with what they grant.
// `issuer` outlives it.
std::unique_ptr<Verifier> make_issued_tokens(const TokenIssuer& issuer, Revocations revocations);

}  // namespace berth::auth
