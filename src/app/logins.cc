#include "app/logins.h"

#include <algorithm>

#include "auth/certificates.h"
#include "auth/ldap/directory.h"
#include "auth/password_file.h"
#include "auth/token/oidc.h"
#include "auth/token/outside_tokens.h"
#include "base/pool.h"
#include "http/client.h"

namespace berth::app {
namespace {

constexpr std::size_t kWaitingLogins = 32;

using Report = std::function<void(const Error&)>;
using Verifiers = std::vector<std::unique_ptr<auth::Verifier>>;

// Half of the cores: guessing must not keep the others from their work.
std::ptrdiff_t hashes_at_once() {
    return static_cast<std::ptrdiff_t>(std::max<std::size_t>(1, cores() / 2));
}

// Tokens first: they are known by their form, and cost less than a password.
Result<void> add_token_verifiers(const AuthConfig& config, const Clock& clock, const Report& report,
                                 Logins& logins, Verifiers& verifiers) {
    auth::Revocations revocations;
    if (!config.tokens_path.empty()) {
        BERTH_TRY(logins.access_tokens,
                  auth::AccessTokens::open(config.tokens_path, clock, report));
        verifiers.push_back(logins.access_tokens->verifier());
        revocations = logins.access_tokens->revocations();
    }
    if (!config.oidc.empty()) {
        BERTH_TRY(auto oidc,
                  auth::make_oidc({.providers = config.oidc}, clock, http::fetch, report));
        verifiers.push_back(std::move(oidc));
    }
    if (config.issuer) {
        BERTH_TRY(logins.issuer, auth::TokenIssuer::open(*config.issuer, clock, report));
        verifiers.push_back(auth::make_issued_tokens(*logins.issuer, std::move(revocations)));
    }
    if (config.token) {
        BERTH_TRY(auto tokens, auth::make_outside_tokens(*config.token, clock, report));
        verifiers.push_back(std::move(tokens));
    }
    return {};
}

}  // namespace

Result<Logins> open_logins(const AuthConfig& config, const Clock& clock, Logger& log) {
    const Report report = [&log](const Error& error) { log.write(LogLevel::error, error.detail); };
    Logins logins;
    Verifiers verifiers;
    BERTH_CHECK(add_token_verifiers(config, clock, report, logins, verifiers));
    if (config.certificates)
        verifiers.push_back(auth::make_certificates(*config.certificates, clock));
    if (config.htpasswd) {
        BERTH_TRY(auto passwords,
                  auth::PasswordFile::open(config.htpasswd->path, clock, report, hashes_at_once()));
        verifiers.push_back(std::move(passwords));
    }
    if (config.ldap) {
        BERTH_TRY(auto directory, auth::make_directory(*config.ldap, clock, report));
        verifiers.push_back(std::move(directory));
    }
    std::unique_ptr<auth::GroupFile> groups;
    if (!config.groups_path.empty()) {
        BERTH_TRY(groups, auth::GroupFile::open(config.groups_path, clock, report));
    }
    logins.authenticator = std::make_unique<auth::Authenticator>(
        std::move(verifiers), std::move(groups), config.login, clock);
    return logins;
}

std::size_t login_threads(const AuthConfig& config) {
    const bool waits = config.ldap || !config.oidc.empty();
    return cores() + (waits ? kWaitingLogins : 0);
}

}  // namespace berth::app
