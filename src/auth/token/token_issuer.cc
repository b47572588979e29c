#include "auth/token/token_issuer.h"

#include <openssl/crypto.h>

#include <charconv>

#include "auth/token/claims.h"
#include "auth/token/signing_keys.h"
#include "base/random.h"

namespace berth::auth {
namespace {

using namespace std::chrono_literals;
using oci::Json;

constexpr std::string_view kAccessType = "JWT";
constexpr std::string_view kRefreshType = "berth-refresh+jwt";
constexpr auto kLifetimeMin = 60s;

// Of several kinds of identity only users need no word.
constexpr std::string_view kRobot = "robot", kOidc = "oidc";
// A token verifies as somebody who held another proof when it was issued; both are shown.
constexpr std::string_view kProof = "bearer";

// Nobody takes a refresh token for one of the service itself.
std::string refresh_audience(std::string_view audience) {
    return "refresh " + std::string(audience);
}

std::int64_t seconds_of(Time time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

// A name or group from a directory need not be UTF-8.
std::string text_of(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json access_of(const std::vector<Scope>& granted) {
    Json access = Json::array();
    for (const Scope& scope : granted) {
        access.push_back(
            Json{{"type", scope.type}, {"name", scope.name}, {"actions", scope.actions}});
    }
    return access;
}

// What Docker's claims have no word for.
void add_identity(Json& claims, const Identity& who) {
    if (who.kind == Identity::Kind::robot) claims["kind"] = kRobot;
    if (who.kind == Identity::Kind::oidc) claims["kind"] = kOidc;
    if (!who.proof.empty()) claims["proof"] = who.proof;
    if (!who.credential.empty()) claims["credential"] = who.credential;
    if (!who.groups.empty()) claims["groups"] = who.groups;
    if (!who.provider.empty()) claims["provider"] = who.provider;
    if (who.claims.empty()) return;
    // Names and values by turns: a list of texts, which every reader of claims knows.
    Json& pairs = claims["claims"] = Json::array();
    for (const auto& [name, value] : who.claims) {
        pairs.push_back(name);
        pairs.push_back(value);
    }
}

std::string other(const Claims& claims, std::string_view name) {
    const auto found = claims.others.find(name);
    return found == claims.others.end() ? std::string() : found->second;
}

std::vector<std::string> list(const Claims& claims, std::string_view name) {
    const auto found = claims.lists.find(name);
    return found == claims.lists.end() ? std::vector<std::string>() : found->second;
}

Identity identity_of(const Claims& claims) {
    Identity who;
    who.name = claims.subject;
    who.groups = list(claims, "groups");
    const std::string proof = other(claims, "proof"), kind = other(claims, "kind");
    who.proof = proof.empty() ? std::string(kProof) : std::string(kProof) + ":" + proof;
    if (kind == kRobot) who.kind = Identity::Kind::robot;
    if (kind == kOidc) who.kind = Identity::Kind::oidc;
    who.provider = other(claims, "provider");
    who.credential = other(claims, "credential");
    const std::vector<std::string> pairs = list(claims, "claims");
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2)
        who.claims.emplace(pairs[i], pairs[i + 1]);
    who.grants = grants_of(claims);
    return who;
}

// To the millisecond, which `iat` cannot say: registry:2 takes whole seconds only.
Time issue_time(const Claims& claims) {
    const std::string text = other(claims, "iat_ms");
    std::int64_t milliseconds = 0;
    std::from_chars(text.data(), text.data() + text.size(), milliseconds);
    return Time(std::chrono::milliseconds(milliseconds));
}

}  // namespace

struct TokenIssuer::State {
    IssuerOptions options;
    const Clock& clock;
    std::unique_ptr<SigningKeys> keys;

    std::string_view audience(std::string_view asked) const {
        return options.service.empty() ? asked : std::string_view(options.service);
    }

    Issued sign(std::string_view type, Json claims, std::string audience, Time now,
                std::chrono::seconds lifetime) const {
        const std::int64_t issued_at = seconds_of(now);
        claims["iss"] = options.issuer;
        claims["aud"] = std::move(audience);
        claims["iat"] = issued_at;
        claims["nbf"] = issued_at;
        claims["exp"] = issued_at + lifetime.count();
        claims["iat_ms"] = now.time_since_epoch().count();
        claims["jti"] = random_uuid();
        return {sign_jwt(keys->current()->all.front(), type, text_of(claims)), now, lifetime};
    }

    Result<Claims> verify(std::string_view token, std::string_view type,
                          std::vector<std::string> audiences) const {
        Expectation expectation;
        expectation.issuers = {options.issuer};
        expectation.audiences = std::move(audiences);
        expectation.leeway = 0s;
        expectation.type = type;
        return verify_jwt(token, keys->current()->verifying, expectation, clock.now());
    }
};

TokenIssuer::TokenIssuer(std::unique_ptr<State> state) : state_(std::move(state)) {}
TokenIssuer::~TokenIssuer() = default;

Result<std::unique_ptr<TokenIssuer>> TokenIssuer::open(IssuerOptions options, const Clock& clock,
                                                       std::function<void(const Error&)> report) {
    if (options.issuer.empty()) return fail(Errc::invalid, "auth.issuer needs an issuer");
    if (options.lifetime < kLifetimeMin || options.refresh_lifetime < kLifetimeMin) {
        return fail(Errc::invalid, "tokens live for a minute at least");
    }
    BERTH_TRY(auto keys,
              SigningKeys::open(options.keys, options.algorithm, clock, std::move(report)));
    auto state = std::make_unique<State>(State{std::move(options), clock, std::move(keys)});
    return std::unique_ptr<TokenIssuer>(new TokenIssuer(std::move(state)));
}

const IssuerOptions& TokenIssuer::options() const {
    return state_->options;
}

TokenIssuer::Issued TokenIssuer::issue(const Identity& who, const std::vector<Scope>& granted,
                                       std::string_view audience) const {
    Json claims{{"sub", who.name}, {"access", access_of(granted)}};
    add_identity(claims, who);
    return state_->sign(kAccessType, std::move(claims), std::string(state_->audience(audience)),
                        state_->clock.now(), state_->options.lifetime);
}

Result<TokenIssuer::Access> TokenIssuer::verify(std::string_view token) const {
    std::vector<std::string> audiences;
    if (!state_->options.service.empty()) audiences.push_back(state_->options.service);
    BERTH_TRY(const Claims claims, state_->verify(token, kAccessType, std::move(audiences)));
    return Access{identity_of(claims), issue_time(claims), *claims.expires};
}

TokenIssuer::Issued TokenIssuer::issue_refresh(const Verifier::Account& account,
                                               std::string_view audience) const {
    const std::string& name = account.identity.name;
    const std::string mark = state_->keys->current()->all.front().mark(name + '\0' + account.mark);
    return state_->sign(kRefreshType, Json{{"sub", name}, {"mark", mark}},
                        refresh_audience(state_->audience(audience)), state_->clock.now(),
                        state_->options.refresh_lifetime);
}

Result<TokenIssuer::Refresh> TokenIssuer::verify_refresh(std::string_view token,
                                                         std::string_view audience) const {
    auto claims =
        state_->verify(token, kRefreshType, {refresh_audience(state_->audience(audience))});
    if (!claims) return fail(Errc::unauthenticated, std::move(claims.error().detail));
    return Refresh{claims->subject, other(*claims, "mark"), issue_time(*claims)};
}

bool TokenIssuer::is_unchanged(const Refresh& refresh, const Verifier::Account& account) const {
    if (refresh.user.empty() || refresh.user != account.identity.name) return false;
    // Any key may have signed it.
    const auto keys = state_->keys->current();
    for (const SigningKey& key : keys->all) {
        const std::string mark = key.mark(refresh.user + '\0' + account.mark);
        if (mark.size() == refresh.mark.size() &&
            CRYPTO_memcmp(mark.data(), refresh.mark.data(), mark.size()) == 0) {
            return true;
        }
    }
    return false;
}

std::string TokenIssuer::jwks() const {
    return state_->keys->current()->jwks;
}

std::uint64_t TokenIssuer::version() const {
    return state_->keys->version();
}

namespace {

// Was it given to a user whom the password file keeps, or for a personal token? Then that user must
// still be there, and is in the groups of now. A directory is not asked again for the minutes that
// a token lasts: it may have no way to say without a password.
bool hangs_on_account(const Identity& who) {
    return who.kind == Identity::Kind::user &&
           (who.proof == "bearer:htpasswd" || who.proof == "bearer:token");
}

class IssuedTokens final : public Verifier {
  public:
    IssuedTokens(const TokenIssuer& issuer, Revocations revocations)
        : issuer_(issuer), revocations_(std::move(revocations)) {}

    std::uint64_t version() override {
        return issuer_.version() + (revocations_.version ? revocations_.version() : 0);
    }

    Result<std::optional<Login>> verify(const Credentials& credentials) override {
        if (credentials.scheme != Credentials::Scheme::bearer) return std::nullopt;
        if (issuer_of(credentials.secret) != issuer_.options().issuer) return std::nullopt;
        auto access = issuer_.verify(credentials.secret);
        // Signed by nobody here: another issuer may have chosen the same name.
        if (!access && access.error().code == Errc::not_found) return std::nullopt;
        if (!access) return std::unexpected(std::move(access.error()));
        const auto revoked_at = revocations_.revoked_at && !access->who.anonymous()
                                    ? revocations_.revoked_at(access->who.name)
                                    : std::nullopt;
        const std::string& credential = access->who.credential;
        const bool ended =
            !credential.empty() && revocations_.holds && !revocations_.holds(credential);
        if (ended || (revoked_at && access->issued_at <= *revoked_at)) {
            return fail(Errc::unauthenticated, "the token was revoked");
        }
        Login login{.identity = std::move(access->who), .expires = access->expires};
        login.needs_account = hangs_on_account(login.identity);
        return login;
    }

  private:
    const TokenIssuer& issuer_;
    const Revocations revocations_;
};

}  // namespace

std::unique_ptr<Verifier> make_issued_tokens(const TokenIssuer& issuer, Revocations revocations) {
    return std::make_unique<IssuedTokens>(issuer, std::move(revocations));
}

}  // namespace berth::auth
