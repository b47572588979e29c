// Goal: who gets in, what is remembered of it and for how long, and how guessing is slowed down.
// Method: real htpasswd files with cheap hashes, a clock that moves when told to.
#include "auth/authenticator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "base/encoding.h"
#include "support/fake_clock.h"
#include "support/temporary_directory.h"
#include "unit/auth/allocation_count.h"

namespace berth::auth {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::string_view kAddress = "192.0.2.1";
// "secret", by htpasswd -s and htpasswd -B -C 5.
constexpr std::string_view kSha = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=";
constexpr std::string_view kBcrypt = "$2y$05$8dyHA7fo6wabg8qc3hHoueFsvY4Lx7S/aNt2AdtOgCr7JpJrpV/p.";

std::string header(std::string_view text) {
    return "Basic " + base64_encode(as_bytes(text));
}

const std::string kAlice = header("alice:secret");
const std::string kWrong = header("alice:guess");

class AuthenticatorTest : public testing::Test {
  protected:
    AuthenticatorTest() { write("alice:" + std::string(kSha) + "\n"); }

    void write(std::string_view text) { std::ofstream(path_, std::ios::binary) << text; }

    Authenticator& start(AuthenticatorOptions options = {}) {
        auto file = PasswordFile::open(path_, clock_, [](const Error&) {});
        EXPECT_TRUE(file);
        authenticator_.emplace(std::move(*file), options, clock_);
        return *authenticator_;
    }

    TemporaryDirectory directory_;
    const std::string path_ = directory_.file("htpasswd");
    FakeClock clock_;
    std::optional<Authenticator> authenticator_;
};

TEST_F(AuthenticatorTest, LetsInWhoKnowsThePassword) {
    Authenticator& authenticator = start();
    EXPECT_TRUE(authenticator.enabled());
    const auto identity = authenticator.verify(kAlice, kAddress);
    ASSERT_TRUE(identity);
    EXPECT_EQ((*identity)->name, "alice");
    EXPECT_EQ((*identity)->proof, "htpasswd");
    EXPECT_FALSE((*identity)->anonymous());
}

TEST_F(AuthenticatorTest, SaysTheSameToAWrongPasswordAndAnUnknownUser) {
    Authenticator& authenticator = start();
    const auto wrong = authenticator.verify(kWrong, kAddress);
    const auto unknown = authenticator.verify(header("bob:secret"), kAddress);
    ASSERT_FALSE(wrong);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(wrong.error().code, Errc::unauthenticated);
    EXPECT_EQ(unknown.error().code, Errc::unauthenticated);
    EXPECT_EQ(wrong.error().detail, unknown.error().detail);
}

TEST_F(AuthenticatorTest, WithoutPasswordsTakesEverybodyForAnonymous) {
    Authenticator authenticator(nullptr, {}, clock_);
    EXPECT_FALSE(authenticator.enabled());
    EXPECT_TRUE(authenticator.remembered(kAlice)->anonymous());
    EXPECT_TRUE((*authenticator.verify(kAlice, kAddress))->anonymous());
}

TEST_F(AuthenticatorTest, TakesAMissingHeaderForAnonymous) {
    Authenticator& authenticator = start();
    EXPECT_TRUE(authenticator.remembered("")->anonymous());
    EXPECT_TRUE((*authenticator.verify("", kAddress))->anonymous());
}

TEST_F(AuthenticatorTest, RefusesAHeaderItCannotRead) {
    Authenticator& authenticator = start();
    for (const std::string_view text : {"Basic", "Bearer abc", "Basic !"}) {
        EXPECT_FALSE(authenticator.remembered(text));
        const auto outcome = authenticator.verify(text, kAddress);
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().code, Errc::unauthenticated);
    }
}

TEST_F(AuthenticatorTest, RemembersAVerifiedHeaderForATime) {
    Authenticator& authenticator = start({.remember = 60s});
    EXPECT_FALSE(authenticator.remembered(kAlice));
    ASSERT_TRUE(authenticator.verify(kAlice, kAddress));
    EXPECT_FALSE(authenticator.remembered(header("alice:secret2")));
    clock_.advance(59s);
    const auto identity = authenticator.remembered(kAlice);
    ASSERT_TRUE(identity);
    EXPECT_EQ(identity->name, "alice");
    clock_.advance(1s);
    EXPECT_FALSE(authenticator.remembered(kAlice)) << "use does not make it longer";
}

TEST_F(AuthenticatorTest, RemembersNoFailure) {
    Authenticator& authenticator = start();
    ASSERT_FALSE(authenticator.verify(kWrong, kAddress));
    EXPECT_FALSE(authenticator.remembered(kWrong));
}

TEST_F(AuthenticatorTest, ForgetsWhenTheFileChanges) {
    Authenticator& authenticator = start();
    ASSERT_TRUE(authenticator.verify(kAlice, kAddress));
    write("# alice has left\n");
    clock_.advance(2ms);
    EXPECT_FALSE(authenticator.remembered(kAlice));
    EXPECT_FALSE(authenticator.verify(kAlice, kAddress));
}

// The hot path looks at the file once in 2 ms only; a login does so each time.
TEST_F(AuthenticatorTest, VerifiesByAChangedFileAtOnce) {
    Authenticator& authenticator = start();
    EXPECT_FALSE(authenticator.remembered(kAlice));
    const std::string bob = header("bob:secret");
    ASSERT_FALSE(authenticator.verify(bob, kAddress));
    write("alice:" + std::string(kSha) + "\nbob:" + std::string(kSha) + "\n");
    EXPECT_TRUE(authenticator.verify(bob, kAddress));
}

TEST_F(AuthenticatorTest, RemembersOnlySoMany) {
    write("a:" + std::string(kSha) + "\nb:" + std::string(kSha) + "\nc:" + std::string(kSha) +
          "\n");
    Authenticator& authenticator = start({.remembered_max = 2});
    int remembered = 0;
    for (const std::string_view user : {"a", "b", "c"})
        ASSERT_TRUE(authenticator.verify(header(std::string(user) + ":secret"), kAddress));
    for (const std::string_view user : {"a", "b", "c"}) {
        if (authenticator.remembered(header(std::string(user) + ":secret"))) ++remembered;
    }
    EXPECT_EQ(remembered, 2);
}

TEST_F(AuthenticatorTest, ThrottlesFailuresByUserAndAddress) {
    Authenticator& authenticator = start({.failures_max = 3, .throttle = 30s});
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(authenticator.verify(kWrong, kAddress).error().code, Errc::unauthenticated);
    const auto refused = authenticator.verify(kAlice, kAddress);
    ASSERT_FALSE(refused) << "not even the right password: a guesser would learn it";
    EXPECT_EQ(refused.error().code, Errc::rate_limited);
    EXPECT_THAT(refused.error().detail, HasSubstr("alice"));
    EXPECT_THAT(refused.error().detail, HasSubstr("30 seconds"));

    EXPECT_EQ(authenticator.verify(header("bob:x"), kAddress).error().code, Errc::unauthenticated);
    EXPECT_TRUE(authenticator.verify(kAlice, "192.0.2.2"));
    EXPECT_TRUE(authenticator.remembered(kAlice)) << "who is in stays in";

    clock_.advance(30s);
    EXPECT_TRUE(authenticator.verify(kAlice, kAddress));
}

TEST_F(AuthenticatorTest, CountsFailuresAnewAfterASuccess) {
    Authenticator& authenticator = start({.remembered_max = 0, .failures_max = 2});
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(authenticator.verify(kWrong, kAddress).error().code, Errc::unauthenticated);
        EXPECT_TRUE(authenticator.verify(kAlice, kAddress));
    }
}

// As docker and podman do it: several connections, the same header, all at once. With one try
// allowed, a second verification would be refused.
TEST_F(AuthenticatorTest, VerifiesTheSameHeaderOnceForAllWhoSendIt) {
    write("alice:" + std::string(kBcrypt) + "\n");
    Authenticator& authenticator = start({.failures_max = 1});
    std::vector<std::thread> clients;
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back([&authenticator] {
            const auto identity = authenticator.verify(kAlice, kAddress);
            ASSERT_TRUE(identity);
            EXPECT_EQ((*identity)->name, "alice");
        });
    }
    for (std::thread& client : clients)
        client.join();
}

TEST_F(AuthenticatorTest, AnswersFromAllThreadsWhileTheFileChanges) {
    Authenticator& authenticator = start({.failures_max = 1'000'000});
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&authenticator, this, thread] {
            for (int i = 0; i < 200; ++i) {
                clock_.advance(1ms);
                if (thread == 0)
                    write("# " + std::to_string(i) + "\nalice:" + std::string(kSha) + "\n");
                const auto known = authenticator.remembered(kAlice);
                EXPECT_TRUE(!known || known->name == "alice");
                const auto verified = authenticator.verify(kAlice, kAddress);
                EXPECT_TRUE(!verified || (*verified)->name == "alice");
                EXPECT_FALSE(authenticator.verify(kWrong, kAddress));
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_TRUE(authenticator.verify(kAlice, kAddress));
}

TEST_F(AuthenticatorTest, RemembersWithoutAllocating) {
    Authenticator& authenticator = start();
    ASSERT_TRUE(authenticator.verify(kAlice, kAddress));
    const std::size_t before = allocation_count();
    const auto identity = authenticator.remembered(kAlice);
    EXPECT_EQ(allocation_count(), before);
    EXPECT_TRUE(identity);
}

}  // namespace
}  // namespace berth::auth
