#include "auth/keyed_hash.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "base/random.h"

// OpenSSL's EVP interface copies and allocates its contexts for each hash, which makes it four
// times slower; these functions run the same SHA-NI code.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace berth::auth {
namespace {

std::array<std::byte, 32> fresh_key() {
    std::array<std::byte, 32> key{};
    random_bytes(key);
    return key;
}

}  // namespace

// What both hashes of the HMAC are once the padded key is hashed.
struct KeyedHasher::States {
    SHA256_CTX inner, outer;

    ~States() { OPENSSL_cleanse(this, sizeof *this); }
};

KeyedHasher::KeyedHasher() : KeyedHasher(fresh_key()) {}

KeyedHasher::KeyedHasher(const std::array<std::byte, 32>& key)
    : states_(std::make_unique<States>()) {
    const auto start = [&key](SHA256_CTX& state, std::byte pad) {
        std::array<std::byte, SHA256_CBLOCK> block{};
        std::memcpy(block.data(), key.data(), key.size());
        for (std::byte& byte : block)
            byte ^= pad;
        SHA256_Init(&state);
        SHA256_Update(&state, block.data(), block.size());
        OPENSSL_cleanse(block.data(), block.size());
    };
    start(states_->inner, std::byte{0x36});
    start(states_->outer, std::byte{0x5c});
}

KeyedHasher::~KeyedHasher() = default;

KeyedHash KeyedHasher::operator()(std::string_view text) const {
    KeyedHash hash;
    SHA256_CTX state = states_->inner;
    SHA256_Update(&state, text.data(), text.size());
    SHA256_Final(hash.data(), &state);
    state = states_->outer;
    SHA256_Update(&state, hash.data(), hash.size());
    SHA256_Final(hash.data(), &state);
    return hash;
}

}  // namespace berth::auth
