// Accounts: what was read of users lately, by name. Bounded. Thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "auth/verifier.h"
#include "base/clock.h"

namespace berth::auth {

struct RememberedAccount {
    Verifier::Account account;
    std::string dn;
    Time read_at;  // its groups were
};

class Accounts {
  public:
    Accounts(std::chrono::seconds remember, std::chrono::seconds grace)
        : remember_(remember), grace_(grace) {}

    // What was read no longer ago than `remember`.
    std::optional<RememberedAccount> fresh(std::string_view name, Time now) const {
        return read_within(remember_, name, now);
    }
    // The same, and `grace` after that.
    std::optional<RememberedAccount> within_grace(std::string_view name, Time now) const {
        return read_within(remember_ + grace_, name, now);
    }

    void remember(const RememberedAccount& account, Time now) {
        std::lock_guard lock(mutex_);
        if (accounts_.size() >= kAccountsMax) {
            std::erase_if(accounts_, [this, now](const auto& each) {
                return now - each.second.read_at >= remember_;
            });
        }
        if (accounts_.size() >= kAccountsMax) accounts_.erase(accounts_.begin());
        accounts_.insert_or_assign(account.account.identity.name, account);
    }
    void forget(std::string_view name) {
        std::lock_guard lock(mutex_);
        const auto found = accounts_.find(name);
        if (found != accounts_.end()) accounts_.erase(found);
    }

  private:
    static constexpr std::size_t kAccountsMax = 10'000;

    std::optional<RememberedAccount> read_within(std::chrono::seconds age, std::string_view name,
                                                 Time now) const {
        std::lock_guard lock(mutex_);
        const auto found = accounts_.find(name);
        if (found == accounts_.end()) return std::nullopt;
        const auto passed = now - found->second.read_at;
        // Negative: the clock was set back, and nobody knows how old this is.
        if (passed < passed.zero() || passed >= age) return std::nullopt;
        return found->second;
    }

    const std::chrono::seconds remember_;
    const std::chrono::seconds grace_;
    mutable std::mutex mutex_;
    std::map<std::string, RememberedAccount, std::less<>> accounts_;
};

}  // namespace berth::auth
