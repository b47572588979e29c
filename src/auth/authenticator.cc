#include "auth/authenticator.h"

#include <arpa/inet.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "auth/keyed_hash.h"
#include "auth/login_memory.h"
#include "auth/login_throttle.h"

namespace berth::auth {
namespace {

using Outcome = Result<IdentityPtr>;
using Scheme = Credentials::Scheme;

// Instead of a verifier's number.
constexpr std::size_t kAll = ~std::size_t{0};

// One verification, and all who wait for it.
struct Verification {
    bool done = false;
    Outcome outcome = fail(Errc::unavailable, "the login could not be checked; try again");
};

// Whoever has an IPv6 address has a whole /64 of them.
std::string network_of(std::string_view address) {
    in6_addr parsed{};
    std::string text(address.substr(0, address.find('%')));
    if (inet_pton(AF_INET6, text.c_str(), &parsed) != 1 || IN6_IS_ADDR_V4MAPPED(&parsed)) {
        return text;
    }
    return {reinterpret_cast<const char*>(parsed.s6_addr), 8};
}

}  // namespace

struct Authenticator::State {
    State(std::vector<std::unique_ptr<Verifier>> asked, std::unique_ptr<GroupFile> group_file,
          AuthenticatorOptions given, const Clock& time)
        : verifiers(std::move(asked)),
          groups(std::move(group_file)),
          options(given),
          clock(time),
          passwords(given.remembered_max),
          others(given.remembered_max),
          users({given.failures_max, given.throttle}),
          addresses({given.address_failures_max, given.throttle}) {}

    const std::vector<std::unique_ptr<Verifier>> verifiers;
    const std::unique_ptr<GroupFile> groups;
    const AuthenticatorOptions options;
    const Clock& clock;
    const IdentityPtr anonymous = std::make_shared<const Identity>(Identity{{}, {}, "none"});
    // Two keys, so that no header can stand for a certificate.
    const KeyedHasher header_hasher;
    const KeyedHasher certificate_hasher;
    // A password costs much to verify, and tokens are given to whoever asks: no number of them may
    // push passwords out.
    LoginMemory passwords;
    LoginMemory others;
    LoginThrottle users;
    LoginThrottle addresses;

    std::mutex mutex;
    std::condition_variable finished;
    std::unordered_map<KeyedHash, std::shared_ptr<Verification>, KeyedHashBucket> running;
    Counts counts;

    bool shows_nothing(const Presented& presented) const {
        return verifiers.empty() || (presented.authorization.empty() && !presented.certificate);
    }
    KeyedHash hash_of(const Presented& presented) const {
        return presented.authorization.empty()
                   ? certificate_hasher(presented.certificate->fingerprint)
                   : header_hasher(presented.authorization);
    }
    // Of what a verifier says; of kAll, of what all of them say.
    std::uint64_t version_of(std::size_t verifier) const {
        std::uint64_t version = groups ? groups->version() : 0;
        if (verifier != kAll) return version + verifiers[verifier]->version();
        for (const auto& each : verifiers)
            version += each->version();
        return version;
    }
    std::optional<RememberedLogin> known(const KeyedHash& login) const;
    IdentityPtr recall(const KeyedHash& login) const;
    Outcome check(const Presented& presented, const KeyedHash& login);
    Outcome check_password(const Presented& presented, const Credentials& credentials,
                           const KeyedHash& login);
    Outcome ask(const Credentials& credentials, const KeyedHash& login);
    Result<std::optional<Verifier::Account>> find(std::string_view user) const;
    Result<void> check_account(Identity& identity) const;
    IdentityPtr remember(Login login, std::size_t verifier, std::uint64_t version,
                         LoginMemory& memory, const KeyedHash& hash);
    void finish(const KeyedHash& login, Verification& verification, Outcome outcome);
    void count(const Outcome& outcome);
};

std::optional<RememberedLogin> Authenticator::State::known(const KeyedHash& login) const {
    auto found = passwords.find(login);
    return found ? found : others.find(login);
}

IdentityPtr Authenticator::State::recall(const KeyedHash& login) const {
    auto found = known(login);
    if (!found || found->expires <= clock.steady_now()) return nullptr;
    return found->version == version_of(found->verifier) ? std::move(found->identity) : nullptr;
}

// The first that keeps the user.
Result<std::optional<Verifier::Account>> Authenticator::State::find(std::string_view user) const {
    std::optional<Error> unavailable;
    for (const auto& verifier : verifiers) {
        auto account = verifier->find(user);
        if (account && *account) return account;
        if (!account) unavailable = std::move(account.error());
    }
    if (unavailable) return std::unexpected(std::move(*unavailable));
    return std::nullopt;
}

// Is the owner of these credentials still there, by what name and in which groups?
Result<void> Authenticator::State::check_account(Identity& identity) const {
    if (std::none_of(verifiers.begin(), verifiers.end(),
                     [](const auto& verifier) { return verifier->keeps_users(); })) {
        return {};
    }
    BERTH_TRY(auto account, find(identity.name));
    if (!account) return fail(Errc::unauthenticated, "the owner of the token is gone");
    // The one name that rules know, however the token's holder is written.
    identity.name = std::move(account->identity.name);
    identity.groups = std::move(account->identity.groups);
    return {};
}

IdentityPtr Authenticator::State::remember(Login login, std::size_t verifier, std::uint64_t version,
                                           LoginMemory& memory, const KeyedHash& hash) {
    if (groups && login.identity.kind == Identity::Kind::user && !login.identity.anonymous()) {
        auto more = groups->groups_of(login.identity.name);
        login.identity.groups.insert(login.identity.groups.end(),
                                     std::make_move_iterator(more.begin()),
                                     std::make_move_iterator(more.end()));
    }
    auto identity = std::make_shared<const Identity>(std::move(login.identity));
    const SteadyTime now = clock.steady_now();
    std::chrono::milliseconds lasts = options.remember;
    if (login.expires != Time::max()) lasts = std::min(lasts, login.expires - clock.now());
    memory.put(hash, {identity, verifier, version, now + lasts, now + lasts + login.grace}, now);
    return identity;
}

Outcome Authenticator::State::ask(const Credentials& credentials, const KeyedHash& login) {
    LoginMemory& memory = credentials.scheme == Scheme::basic ? passwords : others;
    std::optional<Error> unavailable;
    for (std::size_t i = 0; i < verifiers.size(); ++i) {
        const std::uint64_t version = version_of(i);
        const std::uint64_t version_of_all = version_of(kAll);
        auto found = verifiers[i]->verify(credentials);
        if (found && *found && (*found)->needs_account) {
            BERTH_CHECK(check_account((*found)->identity));
            return remember(std::move(**found), kAll, version_of_all, memory, login);
        }
        if (found && *found) return remember(std::move(**found), i, version, memory, login);
        if (found) continue;
        if (found.error().code != Errc::unavailable) {
            return std::unexpected(std::move(found.error()));
        }
        const auto before = memory.find(login);
        const bool in_grace = before && before->verifier == i && before->version == version &&
                              clock.steady_now() < before->grace_until;
        if (in_grace) return before->identity;
        unavailable = std::move(found.error());
    }
    if (unavailable) return std::unexpected(std::move(*unavailable));
    switch (credentials.scheme) {
        case Scheme::basic:
            return fail(Errc::unauthenticated, "the user name or the password is wrong");
        case Scheme::bearer:
            return fail(Errc::unauthenticated, "the token is none that counts here");
        case Scheme::certificate:
            break;
    }
    // Nobody's, and remembered as such: it stands on the connection for each request.
    return remember({.identity = *anonymous}, kAll, version_of(kAll), memory, login);
}

Outcome Authenticator::State::check_password(const Presented& presented,
                                             const Credentials& credentials,
                                             const KeyedHash& login) {
    const std::string network = network_of(presented.address);
    // A NUL stands in neither part.
    const KeyedHash user = header_hasher(std::string(credentials.user).append(1, '\0') + network);
    const KeyedHash address = header_hasher(std::string(1, '\0') + network);
    const SteadyTime now = clock.steady_now();
    const auto later = [this](const std::string& whose) {
        return fail(Errc::rate_limited, "too many failed logins " + whose + "; try again in " +
                                            std::to_string(options.throttle.count()) + " seconds");
    };
    if (!users.begin(user, now)) return later("as " + credentials.user);
    // On a unix socket everybody has the same address: none.
    const bool has_address = !network.empty();
    if (has_address && !addresses.begin(address, now)) {
        users.take_back(user);
        return later("from this address");
    }
    Outcome outcome = ask(credentials, login);
    if (outcome) {
        users.succeeded(user);
    } else if (outcome.error().code == Errc::unavailable) {
        users.take_back(user);
    }
    const bool failed = !outcome && outcome.error().code != Errc::unavailable;
    if (has_address && !failed) addresses.take_back(address);
    return outcome;
}

Outcome Authenticator::State::check(const Presented& presented, const KeyedHash& login) {
    if (presented.authorization.empty()) {
        return ask({.scheme = Scheme::certificate, .certificate = presented.certificate}, login);
    }
    BERTH_TRY(const Credentials credentials, parse_authorization(presented.authorization));
    if (credentials.scheme == Scheme::basic) return check_password(presented, credentials, login);
    return ask(credentials, login);
}

void Authenticator::State::finish(const KeyedHash& login, Verification& verification,
                                  Outcome outcome) {
    std::lock_guard lock(mutex);
    count(outcome);
    verification.outcome = std::move(outcome);
    verification.done = true;
    running.erase(login);
    finished.notify_all();
}

// Under the lock. A certificate that is nobody's is no login.
void Authenticator::State::count(const Outcome& outcome) {
    if (outcome) {
        if (!(*outcome)->anonymous()) ++counts.verified;
        return;
    }
    switch (outcome.error().code) {
        case Errc::rate_limited:
            ++counts.throttled;
            return;
        case Errc::unavailable:
            ++counts.unavailable;
            return;
        default:
            ++counts.failed;
    }
}

Authenticator::Authenticator(std::vector<std::unique_ptr<Verifier>> verifiers,
                             std::unique_ptr<GroupFile> groups, AuthenticatorOptions options,
                             const Clock& clock)
    : state_(std::make_unique<State>(std::move(verifiers), std::move(groups), options, clock)) {}

Authenticator::~Authenticator() = default;

bool Authenticator::enabled() const {
    return !state_->verifiers.empty();
}

IdentityPtr Authenticator::remembered(const Presented& presented) {
    if (state_->shows_nothing(presented)) return state_->anonymous;
    return state_->recall(state_->hash_of(presented));
}

Outcome Authenticator::verify(const Presented& presented) {
    if (state_->shows_nothing(presented)) return state_->anonymous;
    const KeyedHash login = state_->hash_of(presented);
    auto verification = std::make_shared<Verification>();
    {
        // Clients open several connections at once: one of them pays for the password, the others
        // wait for it or come when it is remembered.
        std::unique_lock lock(state_->mutex);
        const auto [running, first] = state_->running.try_emplace(login, verification);
        if (!first) {
            verification = running->second;
            state_->finished.wait(lock, [&verification] { return verification->done; });
            return verification->outcome;
        }
    }
    try {
        Outcome outcome = state_->recall(login);
        if (!*outcome) outcome = state_->check(presented, login);
        state_->finish(login, *verification, outcome);
        return outcome;
    } catch (...) {
        state_->finish(login, *verification, verification->outcome);
        throw;
    }
}

Authenticator::Counts Authenticator::counts() const {
    std::lock_guard lock(state_->mutex);
    return state_->counts;
}

Result<std::optional<Verifier::Account>> Authenticator::find(std::string_view user) {
    BERTH_TRY(auto account, state_->find(user));
    if (account && state_->groups) {
        for (auto& group : state_->groups->groups_of(user))
            account->identity.groups.push_back(std::move(group));
    }
    return account;
}

}  // namespace berth::auth
