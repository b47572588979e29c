#include "auth/token/oidc.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "auth/token/jwt.h"
#include "auth/token/oidc_keys.h"
#include "base/control.h"

namespace berth::auth {
namespace {

using namespace std::chrono_literals;

// A workload's token is made for one job: an old one has been found somewhere.
constexpr std::chrono::hours kTokenAgeMax = 24h;
constexpr std::size_t kSubjectBytesMax = 1024;

std::unexpected<Error> refuse(std::string why) {
    return fail(Errc::unauthenticated, std::move(why));
}

class Provider {
  public:
    Provider(OidcProvider config, std::unique_ptr<OidcKeys> keys, const Clock& clock)
        : config_(std::move(config)), keys_(std::move(keys)), clock_(clock) {
        expectation_.issuers = {config_.issuer};
        expectation_.audiences = config_.audiences;
    }

    std::uint64_t version() { return keys_->version(); }

    Result<Login> verify(std::string_view token) {
        BERTH_TRY(Claims claims, verified(token));
        if (claims.subject.empty() || claims.subject.size() > kSubjectBytesMax ||
            has_control(claims.subject)) {
            return refuse("the token has no usable subject (sub)");
        }
        if (!claims.issued_at) return refuse("the token does not say when it was issued (iat)");
        const Time old_at = *claims.issued_at + kTokenAgeMax;
        if (clock_.now() >= old_at) return refuse("the token is older than a day");

        Login login;
        login.expires = std::min(*claims.expires, old_at);
        Identity& who = login.identity;
        who.name = config_.name + ":" + claims.subject;
        who.kind = Identity::Kind::oidc;
        who.proof = "oidc";
        who.provider = config_.name;
        who.claims = std::move(claims.others);
        who.claims["sub"] = std::move(claims.subject);
        who.claims["iss"] = std::move(claims.issuer);
        return login;
    }

  private:
    Result<Claims> verified(std::string_view token) {
        BERTH_TRY(const KeySet keys, keys_->current());
        auto claims = verify_jwt(token, keys, expectation_, clock_.now());
        if (claims || claims.error().code != Errc::not_found) return claims;
        BERTH_TRY(const KeySet newer, keys_->newer());
        claims = verify_jwt(token, newer, expectation_, clock_.now());
        if (!claims && claims.error().code == Errc::not_found) {
            return refuse(std::move(claims.error().detail));
        }
        return claims;
    }

    const OidcProvider config_;
    const std::unique_ptr<OidcKeys> keys_;
    const Clock& clock_;
    Expectation expectation_;
};

class Oidc final : public Verifier {
  public:
    // By issuer.
    using Providers = std::map<std::string, std::unique_ptr<Provider>, std::less<>>;
    explicit Oidc(Providers providers) : providers_(std::move(providers)) {}

    std::uint64_t version() override {
        std::uint64_t sum = 0;
        for (const auto& [issuer, provider] : providers_)
            sum += provider->version();
        return sum;
    }

    Result<std::optional<Login>> verify(const Credentials& credentials) override {
        if (credentials.scheme == Credentials::Scheme::certificate) return std::nullopt;
        const auto issuer = issuer_of(credentials.secret);
        if (!issuer) return std::nullopt;
        const auto found = providers_.find(*issuer);
        if (found == providers_.end()) return std::nullopt;
        BERTH_TRY(Login login, found->second->verify(credentials.secret));
        return login;
    }

  private:
    const Providers providers_;
};

// A name stands in rules, between `oidc:` and a space, and before the `:` of an identity's name.
Result<void> check_name(std::string_view name) {
    constexpr std::string_view allowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    if (!name.empty() && name.find_first_not_of(allowed) == name.npos) return {};
    return fail(Errc::invalid,
                "the name of an OIDC provider has letters, digits, `-`, `_` and `.`"
                " only: \"" +
                    std::string(name) + "\"");
}

Result<void> check_provider(const OidcProvider& provider) {
    if (provider.issuer.empty()) return fail(Errc::invalid, "it has no issuer");
    const auto& audiences = provider.audiences;
    // Without one, a token that somebody else was given to be shown elsewhere would be good here.
    if (audiences.empty() || std::ranges::find(audiences, "") != audiences.end()) {
        return fail(Errc::invalid, "it needs an audience: what its tokens for this registry say");
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Verifier>> make_oidc(OidcOptions options, const Clock& clock,
                                            const Fetch& fetch,
                                            const std::function<void(const Error&)>& report) {
    Oidc::Providers providers;
    std::map<std::string, int, std::less<>> names;
    for (OidcProvider& provider : options.providers) {
        BERTH_CHECK(check_name(provider.name));
        const auto in_context = [&](Error error) {
            return std::unexpected(std::move(error).with_context("OIDC provider " + provider.name));
        };
        if (const auto checked = check_provider(provider); !checked) {
            return in_context(checked.error());
        }
        if (++names[provider.name] > 1 || providers.contains(provider.issuer)) {
            return in_context({Errc::invalid, "its name or issuer is that of another one"});
        }
        auto keys = OidcKeys::open(
            provider, {options.keys_max_age, options.refetch_min, fetch, report}, clock);
        if (!keys) return in_context(keys.error());
        std::string issuer = provider.issuer;
        providers.emplace(std::move(issuer),
                          std::make_unique<Provider>(std::move(provider), std::move(*keys), clock));
    }
    return std::make_unique<Oidc>(std::move(providers));
}

}  // namespace berth::auth
