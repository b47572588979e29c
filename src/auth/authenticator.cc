#include "auth/authenticator.h"

#include <condition_variable>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "auth/keyed_hash.h"
#include "auth/login_memory.h"
#include "auth/login_throttle.h"

namespace berth::auth {
namespace {

using Outcome = Result<std::shared_ptr<const Identity>>;

// One verification, and all who wait for it.
struct Verification {
    bool done = false;
    Outcome outcome = fail(Errc::unavailable, "the password could not be checked; try again");
};

}  // namespace

struct Authenticator::State {
    State(std::unique_ptr<PasswordFile> file, AuthenticatorOptions given, const Clock& time)
        : passwords(std::move(file)),
          options(given),
          clock(time),
          memory(given.remembered_max),
          throttle({given.failures_max, given.throttle}) {}

    const std::unique_ptr<PasswordFile> passwords;
    const AuthenticatorOptions options;
    const Clock& clock;
    const std::shared_ptr<const Identity> anonymous =
        std::make_shared<const Identity>(Identity{{}, {}, "none"});
    const KeyedHasher hasher;
    LoginMemory memory;
    LoginThrottle throttle;

    std::mutex mutex;
    std::condition_variable finished;
    std::unordered_map<KeyedHash, std::shared_ptr<Verification>, KeyedHashBucket> running;

    std::shared_ptr<const Identity> recall(const KeyedHash& login) const {
        return memory.find(login, passwords->version(), clock.steady_now());
    }
    Outcome check(const Credentials& credentials, const KeyedHash& login, std::string_view address);
    void finish(const KeyedHash& login, Verification& verification, Outcome outcome);
};

// Costs what the password's hash costs.
Outcome Authenticator::State::check(const Credentials& credentials, const KeyedHash& login,
                                    std::string_view address) {
    // A NUL stands in neither part.
    const KeyedHash caller = hasher(std::string(credentials.user).append(1, '\0').append(address));
    if (!throttle.begin(caller, clock.steady_now())) {
        return fail(Errc::rate_limited, "too many failed logins as " + credentials.user +
                                            "; try again in " +
                                            std::to_string(options.throttle.count()) + " seconds");
    }
    const PasswordFile::Lookup entry = passwords->find(credentials.user);
    const bool fits = verify_password(credentials.password, entry.hash);
    if (!fits || !entry.known) {
        return fail(Errc::unauthenticated, "the user name or the password is wrong");
    }
    throttle.succeeded(caller);
    auto identity = std::make_shared<const Identity>(Identity{credentials.user, {}, "htpasswd"});
    const SteadyTime now = clock.steady_now();
    memory.put(login, identity, entry.version, now, now + options.remember);
    return identity;
}

void Authenticator::State::finish(const KeyedHash& login, Verification& verification,
                                  Outcome outcome) {
    std::lock_guard lock(mutex);
    verification.outcome = std::move(outcome);
    verification.done = true;
    running.erase(login);
    finished.notify_all();
}

Authenticator::Authenticator(std::unique_ptr<PasswordFile> passwords, AuthenticatorOptions options,
                             const Clock& clock)
    : state_(std::make_unique<State>(std::move(passwords), options, clock)) {}

Authenticator::~Authenticator() = default;

bool Authenticator::enabled() const {
    return state_->passwords != nullptr;
}

std::shared_ptr<const Identity> Authenticator::remembered(std::string_view authorization) {
    if (!enabled() || authorization.empty()) return state_->anonymous;
    return state_->recall(state_->hasher(authorization));
}

Outcome Authenticator::verify(std::string_view authorization, std::string_view address) {
    if (!enabled() || authorization.empty()) return state_->anonymous;
    BERTH_TRY(const Credentials credentials, parse_basic(authorization));
    const KeyedHash login = state_->hasher(authorization);
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
        if (!*outcome) outcome = state_->check(credentials, login, address);
        state_->finish(login, *verification, outcome);
        return outcome;
    } catch (...) {
        state_->finish(login, *verification, verification->outcome);
        throw;
    }
}

}  // namespace berth::auth
