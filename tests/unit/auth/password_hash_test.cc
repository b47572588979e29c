// Goal: every hash that Apache's htpasswd writes is understood. Method: hashes made by the htpasswd
// program of apache2-utils 2.4 (and, for $2b$ and $2a$, by crypt(3)), kept here as constants.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/password_file.h"

namespace berth::auth {
namespace {

constexpr std::string_view kUtf8 = "p\xc3\xa4ssw\xc3\xb6rd\xe2\x82\xac";

struct Fixture {
    std::string_view made_by, password;
    std::string hash;
};

const std::vector<Fixture> kFixtures{
    {"htpasswd -m", "wonder:land", "$apr1$0OduqI0q$UF788NY7PJDI/z3cQdg8F0"},
    {"htpasswd -m", kUtf8, "$apr1$uXJnrpZl$1paqmnsa5lwFk2zm6zPF.."},
    {"htpasswd -m", "a b", "$apr1$tE.aeVDN$EWUDx3On1KbkuVdc87yMd."},
    {"htpasswd -B -C 4", "wonder:land",
     "$2y$04$1RFjd88C/c1gM.ROl5T9Iey//chBkTElz6kw7QbthpsFV0vwjonIm"},
    {"htpasswd -B -C 4", kUtf8, "$2y$04$6s8m2yQHVd77bL/xb90UhOO0alvXl/VPQ2ObUYt05nGdMZY.zCpsS"},
    {"htpasswd -B -C 4", "a b", "$2y$04$WWhpEWC.gU70iZ1ILszx0ux7dmEBt9aysuqEZ4aO8KcePwqptuXSO"},
    {"htpasswd -B -C 5", "secret", "$2y$05$8dyHA7fo6wabg8qc3hHoueFsvY4Lx7S/aNt2AdtOgCr7JpJrpV/p."},
    {"htpasswd -B -C 4", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "$2y$04$qr.Y1MUeT6Re5O5YDvQFxuhGHYH3SEA8IS6TDKz77lkXYIogmfbs."},
    {"crypt", "wonder:land", "$2b$04$abcdefghijklmnopqrstuuQrKcmYtR.hB8QQ39VAGLfHjVq9MEY1a"},
    {"crypt", "wonder:land", "$2a$04$abcdefghijklmnopqrstuuQrKcmYtR.hB8QQ39VAGLfHjVq9MEY1a"},
    {"htpasswd -s", "wonder:land", "{SHA}TMiviCuZ0dJ1E2Y0OtYiSEIAJZQ="},
    {"htpasswd -s", kUtf8, "{SHA}WftlVS2jnC7Vz30QrXptSZ4eRyo="},
    {"htpasswd -s", "a b", "{SHA}fb3pNQQSKnB/hJ8sEr3Z3nG0GSk="},
    {"htpasswd -d", "secret", "79vOwhvIOEucE"},
    {"htpasswd -d", kUtf8, "K8MPbgb1GWCUU"},
    {"htpasswd -d", "a b", "nUWlRI072hZMI"},
    {"htpasswd -2", "wonder:land",
     "$5$XtF6J/vZggDtD.xk$g/phdEy2YsUPCbU8V2kR6R01x07Erp1TO86q.1zi7d/"},
    {"htpasswd -2 -r 1000", kUtf8,
     "$5$rounds=1000$7CagtEB7rv1AWuIM$kR3ORRpGjjKmBahC5Lsiba4bA3alFxMT7.RExqDI5E7"},
    {"htpasswd -5", "wonder:land",
     "$6$XMr36omuegqTt3m5$wRRP94jB2V34E.qV3rGoUmljGviOat6WXnJwh6AhXyiGGTdjwGqmSt2QEXNKOgdPKt3MI2bCf"
     "UtkBWQnvxXzp."},
    {"htpasswd -5 -r 1000", kUtf8,
     "$6$rounds=1000$to4dbwLfF4pCP/QB$qunTizrD2YbkNXGHGDTWK9tv3nYdetHK8fMOYJ2VE/1rsp6xiooWUAJHp5yd/"
     "veTRu1qKfTR275NQToOGT82N1"},
};

TEST(VerifyPassword, KnowsEveryHashOfHtpasswd) {
    for (const Fixture& fixture : kFixtures) {
        EXPECT_TRUE(is_password_hash(fixture.hash)) << fixture.made_by;
        EXPECT_TRUE(verify_password(fixture.password, fixture.hash)) << fixture.made_by;
        EXPECT_FALSE(verify_password("other", fixture.hash)) << fixture.made_by;
        EXPECT_FALSE(verify_password("", fixture.hash)) << fixture.made_by;
        EXPECT_FALSE(verify_password("W" + std::string(fixture.password), fixture.hash))
            << fixture.made_by;
    }
}

TEST(VerifyPassword, FitsNothingToADamagedHash) {
    for (const Fixture& fixture : kFixtures) {
        std::string hash = fixture.hash;
        hash.back() = '~';
        EXPECT_FALSE(verify_password(fixture.password, hash)) << fixture.made_by;
        EXPECT_FALSE(verify_password(fixture.password, fixture.hash.substr(0, 10)));
    }
}

// What htpasswd -p writes is no hash; nor is an entry somebody locked.
TEST(VerifyPassword, TakesNothingForItsOwnHash) {
    for (const std::string hash : {"secret", "", "*", "!", "x", "ab", "*0", "*1", "{SHA}", "$",
                                   "$2y$", "$apr1$", "$5$", "$6$", "!$2y$04$x", "{PLAIN}x"}) {
        EXPECT_FALSE(verify_password(hash, hash)) << hash;
        EXPECT_FALSE(verify_password("", hash)) << hash;
    }
    for (const std::string_view hash : {"secret", "", "*", "!79vOwhvIOEuc", "79vOwhvIOEuc~"})
        EXPECT_FALSE(is_password_hash(hash)) << hash;
}

TEST(VerifyPassword, DoesNotStopAtANul) {
    EXPECT_FALSE(verify_password(std::string_view("secret\0x", 8), "79vOwhvIOEucE"));
}

// Such a guess would cost the server much more than its sender.
TEST(VerifyPassword, RefusesEndlessPasswords) {
    const std::string password(513, 'a');
    // What htpasswd -s would make of it, had it no limit itself.
    EXPECT_FALSE(verify_password(password, "{SHA}h+zXIz2+nXVDqaGZ/GcakORphz0="));
}

TEST(HashPassword, MakesWhatVerifies) {
    const auto hash = hash_password("wonder:land", 4);
    ASSERT_TRUE(hash);
    EXPECT_THAT(*hash, testing::StartsWith("$2y$04$"));
    EXPECT_EQ(hash->size(), 60u);
    EXPECT_TRUE(verify_password("wonder:land", *hash));
    EXPECT_FALSE(verify_password("wonder:lane", *hash));
    EXPECT_NE(*hash, *hash_password("wonder:land", 4)) << "the salt is random";
}

TEST(HashPassword, RefusesWhatBcryptWouldCutOff) {
    EXPECT_TRUE(hash_password(std::string(72, 'a'), 4));
    for (const std::string& password :
         {std::string(), std::string(73, 'a'), std::string("a\0b", 3)}) {
        const auto hash = hash_password(password, 4);
        ASSERT_FALSE(hash);
        EXPECT_EQ(hash.error().code, Errc::invalid);
    }
    EXPECT_FALSE(hash_password("x", 3));
    EXPECT_FALSE(hash_password("x", 18));
}

}  // namespace
}  // namespace berth::auth
