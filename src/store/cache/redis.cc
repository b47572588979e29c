#include "store/cache/redis.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>
#include <utility>

#include "base/encoding.h"
#include "base/random.h"
#include "store/cache/redis_pool.h"

namespace berth::store {

namespace {

constexpr std::string_view kEntrySeconds = "86400";

std::string random_epoch() {
    std::array<std::byte, 8> bytes{};
    random_bytes(bytes);
    return hex_encode(bytes);
}

class RedisCache final : public DescriptorCache {
  public:
    RedisCache(RedisOptions options, const Clock& clock, Logger& log, OnRedisAction on_action)
        : prefix_("berth:" + random_epoch() + ":"),
          on_action_(std::move(on_action)),
          pool_(std::move(options), prefix_ + "probe", clock, log) {
        random_bytes(secret_);
    }

    std::optional<std::uint64_t> find(const oci::RepositoryName& repository,
                                      const oci::Digest& digest, std::uint64_t version) override {
        const auto key = key_of(repository, digest);
        const auto answer = ask("Stat", {"GET", key});
        if (!answer || !*answer) return std::nullopt;
        return size_in(**answer, key, version);
    }

    void put(const oci::RepositoryName& repository, const oci::Digest& digest,
             std::uint64_t version, std::uint64_t size) override {
        const auto key = key_of(repository, digest);
        static_cast<void>(
            ask("SetDescriptor", {"SET", key, entry_of(key, version, size), "EX", kEntrySeconds}));
    }

  private:
    RedisPool::Answer ask(std::string_view action,
                          std::initializer_list<std::string_view> command) {
        const auto begin = std::chrono::steady_clock::now();
        auto answer = pool_.ask(command);
        const bool asked = answer || answer.error().code != Errc::rate_limited;
        if (asked && on_action_) on_action_(action, std::chrono::steady_clock::now() - begin);
        return answer;
    }

    std::string key_of(const oci::RepositoryName& repository, const oci::Digest& digest) const {
        return prefix_ + repository.text() + "@" + digest.text();
    }

    // The size, and the signature of all that it is about. The key has no space in it.
    std::string entry_of(const std::string& key, std::uint64_t version, std::uint64_t size) const {
        const auto size_text = std::to_string(size);
        const auto text = key + " " + std::to_string(version) + " " + size_text;
        std::array<std::byte, 32> signature{};
        HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(),
             reinterpret_cast<unsigned char*>(signature.data()), nullptr);
        return size_text + " " + base64url_encode(signature);
    }

    std::optional<std::uint64_t> size_in(const std::string& entry, const std::string& key,
                                         std::uint64_t version) const {
        std::uint64_t size = 0;
        const auto* end = entry.data() + entry.size();
        if (std::from_chars(entry.data(), end, size).ec != std::errc()) return std::nullopt;
        const auto right = entry_of(key, version, size);
        if (entry.size() != right.size() ||
            CRYPTO_memcmp(entry.data(), right.data(), right.size()) != 0) {
            return std::nullopt;
        }
        return size;
    }

    const std::string prefix_;
    std::array<std::byte, 32> secret_{};
    const OnRedisAction on_action_;
    RedisPool pool_;
};

}  // namespace

std::unique_ptr<DescriptorCache> make_redis_cache(RedisOptions options, const Clock& clock,
                                                  Logger& log, OnRedisAction on_action) {
    return std::make_unique<RedisCache>(std::move(options), clock, log, std::move(on_action));
}

}  // namespace berth::store
