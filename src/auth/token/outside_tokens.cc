#include "auth/token/outside_tokens.h"

#include <utility>

#include "auth/token/claims.h"
#include "auth/token/jwt.h"
#include "base/watched_file.h"

namespace berth::auth {
namespace {

using Keys = std::unique_ptr<WatchedFile<KeySet>>;
using Report = std::function<void(const Error&)>;

class OutsideTokens final : public Verifier {
  public:
    OutsideTokens(Expectation expectation, std::vector<Keys> files, const Clock& clock)
        : expectation_(std::move(expectation)), files_(std::move(files)), clock_(clock) {}

    std::uint64_t version() override {
        std::uint64_t sum = 0;
        for (const Keys& file : files_)
            sum += file->version();
        return sum;
    }

    Result<std::optional<Login>> verify(const Credentials& credentials) override {
        if (credentials.scheme != Credentials::Scheme::bearer) return std::nullopt;
        if (issuer_of(credentials.secret) != expectation_.issuers.front()) return std::nullopt;
        KeySet keys;
        for (const Keys& file : files_)
            keys = keys.merged(*file->current().value);
        auto claims = verify_jwt(credentials.secret, keys, expectation_, clock_.now());
        if (!claims && claims.error().code == Errc::not_found) {
            claims.error().code = Errc::unauthenticated;
        }
        if (!claims) return std::unexpected(std::move(claims.error()));
        return Login{.identity = {.name = claims->subject,
                                  .groups = {},
                                  .proof = "bearer",
                                  .grants = grants_of(*claims)},
                     .expires = *claims->expires + expectation_.leeway};
    }

  private:
    const Expectation expectation_;
    const std::vector<Keys> files_;
    const Clock& clock_;
};

// `parse` of a file's text, with only these algorithms, and one key at least.
using Parse = Result<KeySet> (*)(std::string_view text);
Result<Keys> open(const std::string& path, Parse parse, const std::vector<std::string>& algorithms,
                  const Clock& clock, const Report& report) {
    const auto limited = [parse, algorithms](std::string_view text) -> Result<KeySet> {
        BERTH_TRY(const KeySet keys, parse(text));
        if (keys.empty()) return fail(Errc::invalid, "there is no key that could be used");
        return keys.limited(algorithms);
    };
    return WatchedFile<KeySet>::open(path, clock, limited, report);
}

}  // namespace

Result<std::unique_ptr<Verifier>> make_outside_tokens(OutsideTokenOptions options,
                                                      const Clock& clock, Report report) {
    if (options.issuer.empty() || options.service.empty()) {
        return fail(Errc::invalid, "auth.token needs an issuer and a service");
    }
    if (options.rootcertbundle.empty() && options.jwks.empty()) {
        return fail(Errc::invalid, "auth.token needs keys: a rootcertbundle or a jwks");
    }
    // Before any file: what is wrong here is not the file's fault.
    BERTH_CHECK(KeySet().limited(options.signing_algorithms));
    std::vector<Keys> files;
    const auto add = [&](const std::string& path, Parse parse) -> Result<void> {
        if (path.empty()) return {};
        BERTH_TRY(Keys keys, open(path, parse, options.signing_algorithms, clock, report));
        files.push_back(std::move(keys));
        return {};
    };
    BERTH_CHECK(add(options.rootcertbundle, KeySet::parse_certificates));
    BERTH_CHECK(add(options.jwks, KeySet::parse_jwks));
    Expectation expectation;
    expectation.issuers = {options.issuer};
    expectation.audiences = {options.service};
    return std::make_unique<OutsideTokens>(std::move(expectation), std::move(files), clock);
}

}  // namespace berth::auth
