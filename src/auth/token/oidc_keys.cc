#include "auth/token/oidc_keys.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "auth/token/trusted_keys.h"
#include "base/watched_file.h"
#include "oci/json.h"

namespace berth::auth {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kJsonDepthMax = 16;
// How soon a provider is asked again of which no keys are known at all.
constexpr std::chrono::seconds kFirstRetry = 1s;
// Threads that wait for one fetch; further ones are told to try again, so that a provider that
// hangs does not hold all there are.
constexpr int kWaitersMax = 16;

// https; http only on this machine, where nobody can change on the way what is said.
bool is_safe(std::string_view url) {
    if (url.starts_with("https://")) return true;
    constexpr std::string_view plain = "http://";
    if (!url.starts_with(plain)) return false;
    url.remove_prefix(plain.size());
    for (const std::string_view host : {"127.0.0.1", "localhost", "[::1]"}) {
        if (!url.starts_with(host)) continue;
        std::string_view rest = url.substr(host.size());
        if (rest.starts_with(':')) {
            rest.remove_prefix(1);
            rest.remove_prefix(std::min(rest.find_first_not_of("0123456789"), rest.size()));
        }
        return rest.empty() || rest.front() == '/';
    }
    return false;
}

bool is_url(std::string_view text) {
    return text.starts_with("https://") || text.starts_with("http://");
}

Result<void> check_url(std::string_view what, const std::string& url) {
    if (is_safe(url)) return {};
    return fail(Errc::invalid, std::string(what) + " is not an https URL: " + url);
}

// OpenID Connect Discovery 1.0, 4: a `/` at the end does not count twice.
std::string discovery_url(std::string issuer) {
    while (issuer.ends_with('/'))
        issuer.pop_back();
    return issuer + "/.well-known/openid-configuration";
}

// Is there a key that `after` does not have any more, or for fewer algorithms?
bool lost_a_key(const KeySet& before, const KeySet& after) {
    const auto& left = after.keys().all;
    return std::ranges::any_of(before.keys().all, [&](const PublicKey& key) {
        return std::ranges::none_of(left, [&](const PublicKey& other) {
            return other.thumbprint() == key.thumbprint() &&
                   (key.algorithms() & ~other.algorithms()) == 0;
        });
    });
}

Result<KeySet> parse_keys(std::string_view text, const std::vector<std::string>& algorithms) {
    BERTH_TRY(const KeySet keys, KeySet::parse_jwks(text));
    return keys.limited(algorithms);
}

class FetchedKeys final : public OidcKeys {
  public:
    FetchedKeys(const OidcProvider& provider, Options options, const Clock& clock)
        : provider_(provider), options_(std::move(options)), clock_(clock) {}

    std::uint64_t version() override { return version_.load(std::memory_order_acquire); }

    Result<KeySet> current() override {
        std::unique_lock lock(mutex_);
        const SteadyTime now = clock_.steady_now();
        if (!keys_ && fetching_) {
            BERTH_CHECK(wait(lock));
        } else if (!fetching_ && now >= retry_at_ &&
                   (!keys_ || now - fetched_at_ >= options_.max_age)) {
            fetch(lock);
        }
        if (!keys_) return unavailable();
        return *keys_;
    }

    Result<KeySet> newer() override {
        std::unique_lock lock(mutex_);
        const SteadyTime now = clock_.steady_now();
        if (fetching_) {
            BERTH_CHECK(wait(lock));
        } else if (now >= search_at_) {
            search_at_ = now + options_.refetch_min;
            fetch(lock);
        }
        if (failed_ || !keys_) return unavailable();
        return *keys_;
    }

  private:
    std::unexpected<Error> unavailable() const {
        return fail(Errc::unavailable, "the keys of OIDC provider " + provider_.name +
                                           " cannot be fetched now; try again later");
    }

    Result<void> wait(std::unique_lock<std::mutex>& lock) {
        if (waiters_ == kWaitersMax) return unavailable();
        ++waiters_;
        fetched_.wait(lock, [this] { return !fetching_; });
        --waiters_;
        return {};
    }

    // Gives the lock up meanwhile.
    void fetch(std::unique_lock<std::mutex>& lock) {
        fetching_ = true;
        lock.unlock();
        auto keys = ask();
        lock.lock();
        fetching_ = false;
        take(std::move(keys));
        fetched_.notify_all();
    }

    Result<KeySet> ask() const {
        std::string url = provider_.jwks;
        if (url.empty()) {
            BERTH_TRY(url, discover());
        }
        BERTH_TRY(const std::string text, options_.fetch(url, provider_.ca));
        return parse_keys(text, provider_.algorithms);
    }

    // Where the keys are.
    Result<std::string> discover() const {
        const std::string url = discovery_url(provider_.issuer);
        BERTH_TRY(const std::string text, options_.fetch(url, provider_.ca));
        BERTH_TRY(const oci::Json document, oci::parse_json(text, kJsonDepthMax));
        const auto member = [&](const char* name) -> std::string {
            if (!document.is_object() || !document.contains(name)) return {};
            const oci::Json& value = document[name];
            return value.is_string() ? value.get<std::string>() : std::string();
        };
        if (member("issuer") != provider_.issuer) {
            return fail(Errc::invalid, url + " is the document of another issuer");
        }
        std::string keys = member("jwks_uri");
        BERTH_CHECK(check_url("jwks_uri of " + url, keys));
        return keys;
    }

    void take(Result<KeySet> keys) {
        const SteadyTime now = clock_.steady_now();
        failed_ = !keys;
        if (keys) {
            const bool lost = keys_ && lost_a_key(*keys_, *keys);
            keys_ = std::move(*keys);
            fetched_at_ = now;
            reported_.clear();
            if (lost) version_.fetch_add(1, std::memory_order_acq_rel);
            return;
        }
        const auto patience = options_.refetch_min;
        retry_at_ = now + (keys_ ? patience : std::min(patience, kFirstRetry));
        if (keys.error().detail == reported_) return;
        reported_ = keys.error().detail;
        options_.report(Error{keys.error().code,
                              "OIDC provider " + provider_.name + ": " + reported_ +
                                  (keys_ ? "; the keys fetched before stay in force"
                                         : "; its tokens cannot be verified before it answers"),
                              keys.error().os_errno});
    }

    const OidcProvider provider_;
    const Options options_;
    const Clock& clock_;
    std::atomic<std::uint64_t> version_{0};

    std::mutex mutex_;
    std::condition_variable fetched_;
    bool fetching_ = false;
    int waiters_ = 0;
    std::optional<KeySet> keys_;
    bool failed_ = false;  // the last fetch
    SteadyTime fetched_at_;
    SteadyTime retry_at_ = SteadyTime::min();
    SteadyTime search_at_ = SteadyTime::min();
    std::string reported_;
};

class KeyFile final : public OidcKeys {
  public:
    explicit KeyFile(std::unique_ptr<WatchedFile<KeySet>> file) : file_(std::move(file)) {}

    std::uint64_t version() override { return file_->version(); }
    Result<KeySet> current() override { return *file_->current().value; }
    Result<KeySet> newer() override { return current(); }

  private:
    const std::unique_ptr<WatchedFile<KeySet>> file_;
};

}  // namespace

Result<std::unique_ptr<OidcKeys>> OidcKeys::open(const OidcProvider& provider, Options options,
                                                 const Clock& clock) {
    BERTH_CHECK(KeySet().limited(provider.algorithms));
    if (provider.jwks.empty()) {
        BERTH_CHECK(check_url("issuer", provider.issuer));
    } else if (is_url(provider.jwks)) {
        BERTH_CHECK(check_url("jwks", provider.jwks));
    } else {
        const auto parse = [algorithms = provider.algorithms](std::string_view text) {
            return parse_keys(text, algorithms);
        };
        BERTH_TRY(auto file, WatchedFile<KeySet>::open(provider.jwks, clock, parse,
                                                       std::move(options.report)));
        return std::make_unique<KeyFile>(std::move(file));
    }
    return std::make_unique<FetchedKeys>(provider, std::move(options), clock);
}

}  // namespace berth::auth
