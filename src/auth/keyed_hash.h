// HMAC-SHA-256 (RFC 2104) with a key that is made at start and never leaves this process: what
// stands for a secret where the secret itself must not be kept.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace berth::auth {

using KeyedHash = std::array<unsigned char, 32>;

// For hash tables. The hash itself is uniform, and nobody outside can choose or predict it; for the
// same reason comparing two of them need not take constant time.
struct KeyedHashBucket {
    std::size_t operator()(const KeyedHash& hash) const {
        std::size_t bucket = 0;
        std::memcpy(&bucket, hash.data(), sizeof bucket);
        return bucket;
    }
};

// Thread-safe.
class KeyedHasher {
  public:
    KeyedHasher();  // with a fresh key
    explicit KeyedHasher(const std::array<std::byte, 32>& key);
    ~KeyedHasher();

    // Does not allocate; about 0.15 µs for what fits one block.
    KeyedHash operator()(std::string_view text) const;

  private:
    struct States;
    std::unique_ptr<States> states_;
};

}  // namespace berth::auth
