// Goal: digests are FIPS 180's, however the bytes arrive, and a state that was put aside goes on as
// if it had never stopped, on any machine.
// Method: published vectors; every cut of a text of several blocks; a saved state written down
// here.
#include "oci/hasher.h"

#include <gtest/gtest.h>

#include <string>

#include "base/encoding.h"

namespace berth::oci {
namespace {

constexpr Algorithm kAlgorithms[] = {Algorithm::sha256, Algorithm::sha512};

// 300 bytes: some blocks and a part of one, for both algorithms.
std::string sample() {
    std::string text;
    for (int i = 0; i < 300; ++i)
        text += static_cast<char>(i * 7);
    return text;
}

TEST(Hasher, FindsThePublishedDigests) {
    struct Row {
        Algorithm algorithm;
        std::string_view text;
        std::string_view digest;
    };
    const Row table[] = {
        {Algorithm::sha256, "",
         "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {Algorithm::sha256, "abc",
         "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {Algorithm::sha256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {Algorithm::sha512, "",
         "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
         "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"},
        {Algorithm::sha512, "abc",
         "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
         "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    };
    for (const auto& row : table)
        EXPECT_EQ(digest_of(row.algorithm, as_bytes(row.text)).text(), row.digest) << row.text;
}

TEST(Hasher, GoesOnAfterADigestWasTaken) {
    Hasher hasher(Algorithm::sha256);
    hasher.update(as_bytes("ab"));
    EXPECT_EQ(hasher.digest(), digest_of(Algorithm::sha256, as_bytes("ab")));
    hasher.update(as_bytes("c"));
    EXPECT_EQ(hasher.digest(), digest_of(Algorithm::sha256, as_bytes("abc")));
}

TEST(Hasher, IsTakenUpAgainAtAnyByte) {
    const auto text = sample();
    for (const auto algorithm : kAlgorithms) {
        for (std::size_t cut = 0; cut <= text.size(); ++cut) {
            Hasher before(algorithm);
            before.update(as_bytes(text).first(cut));
            const auto saved = before.save();
            auto after = Hasher::restore(saved);
            ASSERT_TRUE(after) << cut;
            EXPECT_EQ(after->algorithm(), algorithm);
            EXPECT_EQ(after->save(), saved);
            after->update(as_bytes(text).subspan(cut));
            EXPECT_EQ(after->digest(), digest_of(algorithm, as_bytes(text))) << cut;
        }
    }
}

// An upgrade or another machine must find the uploads of before. The second state is one of 32 GiB:
// FIPS 180 counts bits, which need more than 32 bits then.
TEST(Hasher, RestoresTheFormWrittenDownHere) {
    struct Row {
        std::string_view saved;
        std::string_view digest;
    };
    const Row table[] = {
        {"01006a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19"
         "00000000000000036162636235666565626662",
         "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"01006a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19"
         "000000080000000561626364656334313931393838",
         "sha256:c978ae00976c678244adac7a6eb9d0a410eb6c65373f428215537c05269075a0"},
    };
    for (const auto& row : table) {
        const auto saved = hex_decode(row.saved).value_or("");
        const auto hasher = Hasher::restore(saved);
        ASSERT_TRUE(hasher) << row.saved;
        EXPECT_EQ(hasher->digest().text(), row.digest);
        EXPECT_EQ(hasher->save(), saved);
    }
}

TEST(Hasher, RefusesADamagedState) {
    Hasher hasher(Algorithm::sha512);
    hasher.update(as_bytes(sample()));
    const auto saved = hasher.save();
    for (std::size_t i = 0; i < saved.size(); ++i) {
        auto flipped = saved;
        flipped[i] = static_cast<char>(flipped[i] ^ 1);
        const auto restored = Hasher::restore(flipped);
        ASSERT_FALSE(restored) << i;
        EXPECT_EQ(restored.error().code, Errc::corrupt);
        EXPECT_FALSE(Hasher::restore(saved.substr(0, i))) << i;
    }
    EXPECT_FALSE(Hasher::restore(saved + '\0'));
}

TEST(Hasher, RefusesAStateOfAnotherVersionOrAlgorithm) {
    const auto resign = [](std::string body) {
        const auto digest = digest_of(Algorithm::sha256, as_bytes(body));
        return body + std::string(digest.hex().substr(0, 8));
    };
    const auto saved = Hasher(Algorithm::sha256).save();
    const auto body = saved.substr(0, saved.size() - 8);
    ASSERT_TRUE(Hasher::restore(resign(body)));
    for (const std::size_t place : {0u, 1u}) {
        auto other = body;
        other[place] = 7;
        EXPECT_FALSE(Hasher::restore(resign(other))) << place;
    }
    EXPECT_FALSE(Hasher::restore(resign(body + 'x'))) << "more bytes than the count says";
    EXPECT_FALSE(Hasher::restore(resign(body.substr(0, 20)))) << "words are missing";
}

}  // namespace
}  // namespace berth::oci
