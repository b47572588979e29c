// Goal: the keyed hash is HMAC-SHA-256. Method: RFC 4231's test vectors, keys padded with zeros as
// HMAC does itself.
#include "auth/keyed_hash.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/encoding.h"
#include "unit/auth/allocation_count.h"

namespace berth::auth {
namespace {

std::string hex(const KeyedHash& hash) {
    return hex_encode(std::as_bytes(std::span(hash)));
}

KeyedHasher hasher(std::string_view key) {
    std::array<std::byte, 32> padded{};
    std::memcpy(padded.data(), key.data(), key.size());
    return KeyedHasher(padded);
}

TEST(KeyedHasher, IsHmacSha256) {
    EXPECT_EQ(hex(hasher(std::string(20, '\x0b'))("Hi There")),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(hex(hasher("Jefe")("what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hex(hasher(std::string(20, '\xaa'))(std::string(50, '\xdd'))),
              "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
}

TEST(KeyedHasher, HasAFreshKeyEachTime) {
    const KeyedHasher one, other;
    EXPECT_EQ(one("a"), one("a"));
    EXPECT_NE(one("a"), one("b"));
    EXPECT_NE(one("a"), other("a"));
}

TEST(KeyedHasher, DoesNotAllocate) {
    const KeyedHasher one;
    const std::string text(200, 'x');
    const std::size_t before = allocation_count();
    const KeyedHash hash = one(text);
    EXPECT_EQ(allocation_count(), before);
    EXPECT_NE(hash, KeyedHash{});
}

}  // namespace
}  // namespace berth::auth
