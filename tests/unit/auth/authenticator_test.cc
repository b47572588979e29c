// Goal: who gets in, what is remembered of it and for how long, and how guessing is slowed down.
// Method: real htpasswd files with cheap hashes, a clock that moves when told to.
#include "auth/authenticator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "auth/password_file.h"
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
        verifiers_.push_back(std::move(*file));
        authenticator_.emplace(std::move(verifiers_), std::move(groups_), options, clock_);
        return *authenticator_;
    }

    TemporaryDirectory directory_;
    const std::string path_ = directory_.file("htpasswd");
    FakeClock clock_;
    std::vector<std::unique_ptr<Verifier>> verifiers_;  // asked before the file
    std::unique_ptr<GroupFile> groups_;
    std::optional<Authenticator> authenticator_;
};

TEST_F(AuthenticatorTest, LetsInWhoKnowsThePassword) {
    Authenticator& authenticator = start();
    EXPECT_TRUE(authenticator.enabled());
    const auto identity = authenticator.verify({kAlice, kAddress});
    ASSERT_TRUE(identity);
    EXPECT_EQ((*identity)->name, "alice");
    EXPECT_EQ((*identity)->proof, "htpasswd");
    EXPECT_FALSE((*identity)->anonymous());
}

TEST_F(AuthenticatorTest, SaysTheSameToAWrongPasswordAndAnUnknownUser) {
    Authenticator& authenticator = start();
    const auto wrong = authenticator.verify({kWrong, kAddress});
    const auto unknown = authenticator.verify({header("bob:secret"), kAddress});
    ASSERT_FALSE(wrong);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(wrong.error().code, Errc::unauthenticated);
    EXPECT_EQ(unknown.error().code, Errc::unauthenticated);
    EXPECT_EQ(wrong.error().detail, unknown.error().detail);
}

TEST_F(AuthenticatorTest, WithoutPasswordsTakesEverybodyForAnonymous) {
    Authenticator authenticator({}, nullptr, {}, clock_);
    EXPECT_FALSE(authenticator.enabled());
    EXPECT_TRUE(authenticator.remembered({kAlice})->anonymous());
    EXPECT_TRUE((*authenticator.verify({kAlice, kAddress}))->anonymous());
}

TEST_F(AuthenticatorTest, TakesAMissingHeaderForAnonymous) {
    Authenticator& authenticator = start();
    EXPECT_TRUE(authenticator.remembered({""})->anonymous());
    EXPECT_TRUE((*authenticator.verify({"", kAddress}))->anonymous());
}

TEST_F(AuthenticatorTest, RefusesAHeaderItCannotRead) {
    Authenticator& authenticator = start();
    for (const std::string_view text : {"Basic", "Bearer abc", "Basic !"}) {
        EXPECT_FALSE(authenticator.remembered({text}));
        const auto outcome = authenticator.verify({text, kAddress});
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().code, Errc::unauthenticated);
    }
}

TEST_F(AuthenticatorTest, RemembersAVerifiedHeaderForATime) {
    Authenticator& authenticator = start({.remember = 60s});
    EXPECT_FALSE(authenticator.remembered({kAlice}));
    ASSERT_TRUE(authenticator.verify({kAlice, kAddress}));
    EXPECT_FALSE(authenticator.remembered({header("alice:secret2")}));
    clock_.advance(59s);
    const auto identity = authenticator.remembered({kAlice});
    ASSERT_TRUE(identity);
    EXPECT_EQ(identity->name, "alice");
    clock_.advance(1s);
    EXPECT_FALSE(authenticator.remembered({kAlice})) << "use does not make it longer";
}

TEST_F(AuthenticatorTest, RemembersNoFailure) {
    Authenticator& authenticator = start();
    ASSERT_FALSE(authenticator.verify({kWrong, kAddress}));
    EXPECT_FALSE(authenticator.remembered({kWrong}));
}

TEST_F(AuthenticatorTest, ForgetsWhenTheFileChanges) {
    Authenticator& authenticator = start();
    ASSERT_TRUE(authenticator.verify({kAlice, kAddress}));
    write("# alice has left\n");
    clock_.advance(2ms);
    EXPECT_FALSE(authenticator.remembered({kAlice}));
    EXPECT_FALSE(authenticator.verify({kAlice, kAddress}));
}

// The hot path looks at the file once in 2 ms only; a login does so each time.
TEST_F(AuthenticatorTest, VerifiesByAChangedFileAtOnce) {
    Authenticator& authenticator = start();
    EXPECT_FALSE(authenticator.remembered({kAlice}));
    const std::string bob = header("bob:secret");
    ASSERT_FALSE(authenticator.verify({bob, kAddress}));
    write("alice:" + std::string(kSha) + "\nbob:" + std::string(kSha) + "\n");
    EXPECT_TRUE(authenticator.verify({bob, kAddress}));
}

TEST_F(AuthenticatorTest, RemembersOnlySoMany) {
    write("a:" + std::string(kSha) + "\nb:" + std::string(kSha) + "\nc:" + std::string(kSha) +
          "\n");
    Authenticator& authenticator = start({.remembered_max = 2});
    int remembered = 0;
    for (const std::string_view user : {"a", "b", "c"})
        ASSERT_TRUE(authenticator.verify({header(std::string(user) + ":secret"), kAddress}));
    for (const std::string_view user : {"a", "b", "c"}) {
        if (authenticator.remembered({header(std::string(user) + ":secret")})) ++remembered;
    }
    EXPECT_EQ(remembered, 2);
}

TEST_F(AuthenticatorTest, ThrottlesFailuresByUserAndAddress) {
    Authenticator& authenticator = start({.failures_max = 3, .throttle = 30s});
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(authenticator.verify({kWrong, kAddress}).error().code, Errc::unauthenticated);
    const auto refused = authenticator.verify({kAlice, kAddress});
    ASSERT_FALSE(refused) << "not even the right password: a guesser would learn it";
    EXPECT_EQ(refused.error().code, Errc::rate_limited);
    EXPECT_THAT(refused.error().detail, HasSubstr("alice"));
    EXPECT_THAT(refused.error().detail, HasSubstr("30 seconds"));

    EXPECT_EQ(authenticator.verify({header("bob:x"), kAddress}).error().code,
              Errc::unauthenticated);
    EXPECT_TRUE(authenticator.verify({kAlice, "192.0.2.2"}));
    EXPECT_TRUE(authenticator.remembered({kAlice})) << "who is in stays in";

    clock_.advance(30s);
    EXPECT_TRUE(authenticator.verify({kAlice, kAddress}));
}

TEST_F(AuthenticatorTest, CountsFailuresAnewAfterASuccess) {
    Authenticator& authenticator = start({.remembered_max = 0, .failures_max = 2});
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(authenticator.verify({kWrong, kAddress}).error().code, Errc::unauthenticated);
        EXPECT_TRUE(authenticator.verify({kAlice, kAddress}));
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
            const auto identity = authenticator.verify({kAlice, kAddress});
            ASSERT_TRUE(identity);
            EXPECT_EQ((*identity)->name, "alice");
        });
    }
    for (std::thread& client : clients)
        client.join();
}

TEST_F(AuthenticatorTest, AnswersFromAllThreadsWhileTheFileChanges) {
    Authenticator& authenticator =
        start({.failures_max = 1'000'000, .address_failures_max = 1'000'000});
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&authenticator, this, thread] {
            for (int i = 0; i < 200; ++i) {
                clock_.advance(1ms);
                if (thread == 0)
                    write("# " + std::to_string(i) + "\nalice:" + std::string(kSha) + "\n");
                const auto known = authenticator.remembered({kAlice});
                EXPECT_TRUE(!known || known->name == "alice");
                const auto verified = authenticator.verify({kAlice, kAddress});
                EXPECT_TRUE(!verified || (*verified)->name == "alice");
                EXPECT_FALSE(authenticator.verify({kWrong, kAddress}));
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_TRUE(authenticator.verify({kAlice, kAddress}));
}

TEST_F(AuthenticatorTest, ThrottlesManyUsersFromOneAddress) {
    Authenticator& authenticator = start({.failures_max = 3, .address_failures_max = 5});
    const auto guess = [&](int user, std::string_view address) {
        return authenticator.verify({header("user" + std::to_string(user) + ":x"), address});
    };
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(guess(i, "2001:db8::1").error().code, Errc::unauthenticated);
        EXPECT_TRUE(authenticator.verify({kAlice, "2001:db8::1"})) << "a success changes nothing";
    }
    const auto refused = guess(6, "2001:db8::2");
    EXPECT_EQ(refused.error().code, Errc::rate_limited) << "an address of the same network";
    EXPECT_THAT(refused.error().detail, HasSubstr("from this address"));
    EXPECT_EQ(guess(6, "2001:db8:0:1::1").error().code, Errc::unauthenticated);
    EXPECT_EQ(guess(6, kAddress).error().code, Errc::unauthenticated);
}

TEST_F(AuthenticatorTest, DoesNotThrottleEverybodyOnAUnixSocket) {
    Authenticator& authenticator = start({.failures_max = 3, .address_failures_max = 5});
    for (int i = 0; i < 10; ++i)
        EXPECT_FALSE(authenticator.verify({header("user" + std::to_string(i) + ":x"), ""}));
    EXPECT_TRUE(authenticator.verify({kAlice, ""}));
    for (int i = 0; i < 3; ++i)
        EXPECT_FALSE(authenticator.verify({header("bob:x"), ""}));
    EXPECT_EQ(authenticator.verify({header("bob:y"), ""}).error().code, Errc::rate_limited);
}

// Says of each user what it was told to.
class Scripted final : public Verifier {
  public:
    std::map<std::string, Login> logins;
    std::optional<Errc> failing;
    std::uint64_t counted = 0;
    int asked = 0;

    std::uint64_t version() override { return counted; }
    Result<std::optional<Login>> verify(const Credentials& credentials) override {
        ++asked;
        if (failing) return fail(*failing, "as told");
        const std::string key = credentials.certificate    ? credentials.certificate->common_name
                                : credentials.user.empty() ? credentials.secret
                                                           : credentials.user;
        const auto found = logins.find(key);
        if (found == logins.end()) return std::nullopt;
        return found->second;
    }
    Result<std::optional<Account>> find(std::string_view user) override {
        if (failing) return fail(*failing, "as told");
        const auto found = logins.find(std::string(user));
        if (found == logins.end()) return std::nullopt;
        return Account{found->second.identity, "mark"};
    }
};

class AuthenticatorOfManyTest : public AuthenticatorTest {
  protected:
    Scripted& add() {
        auto verifier = std::make_unique<Scripted>();
        Scripted& made = *verifier;
        verifiers_.push_back(std::move(verifier));
        return made;
    }
    static Login login(std::string name, std::string proof = "ldap") {
        return {.identity = {std::move(name), {}, std::move(proof)}};
    }
};

TEST_F(AuthenticatorOfManyTest, AsksInTurnUntilOneKnows) {
    Scripted& first = add();
    Scripted& second = add();
    second.logins["bob"] = login("bob");
    Authenticator& authenticator = start();
    EXPECT_EQ((*authenticator.verify({header("bob:x"), kAddress}))->proof, "ldap");
    EXPECT_EQ((*authenticator.verify({kAlice, kAddress}))->proof, "htpasswd");
    EXPECT_EQ(first.asked, 2);
    EXPECT_EQ(second.asked, 2);
}

TEST_F(AuthenticatorOfManyTest, EndsWhereCredentialsAreRecognisedAndNoGood) {
    add().failing = Errc::unauthenticated;
    Scripted& second = add();
    Authenticator& authenticator = start();
    EXPECT_EQ(authenticator.verify({kAlice, kAddress}).error().detail, "as told");
    EXPECT_EQ(second.asked, 0);
}

TEST_F(AuthenticatorOfManyTest, WithoutItsDirectoryStillVerifiesByTheFile) {
    add().failing = Errc::unavailable;
    Authenticator& authenticator = start({.failures_max = 1});
    EXPECT_TRUE(authenticator.verify({kAlice, kAddress}));
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(authenticator.verify({kWrong, kAddress}).error().code, Errc::unavailable)
            << "who may have the right password for the directory is not called wrong";
    }
}

TEST_F(AuthenticatorOfManyTest, LetsPeopleGoOnForTheGraceWhileTheirDirectoryIsDown) {
    Scripted& directory = add();
    directory.logins["bob"] = login("bob");
    directory.logins["bob"].grace = 100s;
    Authenticator& authenticator = start({.remember = 10s});
    const std::string bob = header("bob:x");
    ASSERT_TRUE(authenticator.verify({bob, kAddress}));
    directory.failing = Errc::unavailable;
    clock_.advance(10s);
    EXPECT_FALSE(authenticator.remembered({bob}));
    EXPECT_TRUE(authenticator.verify({bob, kAddress}));
    EXPECT_EQ(authenticator.verify({header("bob:y"), kAddress}).error().code, Errc::unavailable);
    clock_.advance(99s);
    EXPECT_TRUE(authenticator.verify({bob, kAddress}));
    clock_.advance(1s);
    EXPECT_EQ(authenticator.verify({bob, kAddress}).error().code, Errc::unavailable);
    directory.failing.reset();
    EXPECT_TRUE(authenticator.verify({bob, kAddress}));
}

TEST_F(AuthenticatorOfManyTest, RemembersNoLongerThanTheLoginHolds) {
    Scripted& tokens = add();
    tokens.logins["token"] = login("bob", "bearer");
    tokens.logins["token"].expires = clock_.now() + 5s;
    Authenticator& authenticator = start();
    ASSERT_TRUE(authenticator.verify({"Bearer token", kAddress}));
    clock_.advance(4s);
    EXPECT_TRUE(authenticator.remembered({"Bearer token"}));
    clock_.advance(1s);
    EXPECT_FALSE(authenticator.remembered({"Bearer token"}));
}

TEST_F(AuthenticatorOfManyTest, ForgetsOnlyWhatAChangedVerifierSaid) {
    Scripted& directory = add();
    directory.logins["bob"] = login("bob");
    Authenticator& authenticator = start();
    const std::string bob = header("bob:x");
    ASSERT_TRUE(authenticator.verify({bob, kAddress}));
    ASSERT_TRUE(authenticator.verify({kAlice, kAddress}));
    ++directory.counted;
    EXPECT_FALSE(authenticator.remembered({bob}));
    EXPECT_TRUE(authenticator.remembered({kAlice}));
}

TEST_F(AuthenticatorOfManyTest, PutsUsersIntoTheirGroupsAndFollowsTheFile) {
    const std::string groups = directory_.file("groups");
    std::ofstream(groups) << "dev: alice ci\n";
    groups_ = GroupFile::open(groups, clock_, [](const Error&) {}).value();
    Scripted& others = add();
    others.logins["ci"] = login("ci", "token");
    others.logins["ci"].identity.kind = Identity::Kind::robot;
    others.logins["alice2"] = login("alice");
    others.logins["alice2"].identity.groups = {"people"};
    Authenticator& authenticator = start();
    using testing::ElementsAre;
    EXPECT_THAT((*authenticator.verify({kAlice, kAddress}))->groups, ElementsAre("dev"));
    EXPECT_THAT((*authenticator.verify({header("alice2:x"), kAddress}))->groups,
                ElementsAre("people", "dev"));
    EXPECT_THAT((*authenticator.verify({header("ci:x"), kAddress}))->groups, testing::IsEmpty())
        << "a robot is not the user of its name";
    EXPECT_THAT((*authenticator.find("alice"))->identity.groups, ElementsAre("dev"));

    std::ofstream(groups) << "ops: alice\n";
    clock_.advance(2ms);
    EXPECT_FALSE(authenticator.remembered({kAlice}));
    EXPECT_THAT((*authenticator.verify({kAlice, kAddress}))->groups, ElementsAre("ops"));
}

TEST_F(AuthenticatorOfManyTest, TakesACertificateWhereNothingElseIsShown) {
    Scripted& certificates = add();
    certificates.logins["bob"] = login("bob", "certificate");
    Authenticator& authenticator = start();
    net::PeerCertificate bob{.fingerprint = "f1", .common_name = "bob"};
    net::PeerCertificate other{.fingerprint = "f2", .common_name = "other"};
    EXPECT_FALSE(authenticator.remembered({.authorization = "", .certificate = &bob}));
    EXPECT_EQ((*authenticator.verify({"", kAddress, &bob}))->name, "bob");
    EXPECT_EQ(authenticator.remembered({.authorization = "", .certificate = &bob})->name, "bob");
    EXPECT_TRUE((*authenticator.verify({"", kAddress, &other}))->anonymous());
    EXPECT_TRUE(authenticator.remembered({.authorization = "", .certificate = &other}))
        << "nobody's, and not asked about again";
    EXPECT_EQ((*authenticator.verify({kAlice, kAddress, &bob}))->name, "alice");
    EXPECT_FALSE(authenticator.remembered({"f1"})) << "no header stands for a certificate";
}

TEST_F(AuthenticatorOfManyTest, TakesATokenOnlyWhileItsOwnerIsThere) {
    Scripted& tokens = add();
    tokens.logins["of-alice"] = login("alice", "token");
    tokens.logins["of-alice"].needs_account = true;
    tokens.logins["of-bob"] = login("bob", "token");
    tokens.logins["of-bob"].needs_account = true;
    Authenticator& authenticator = start();
    EXPECT_EQ((*authenticator.verify({"Bearer of-alice", kAddress}))->proof, "token");
    EXPECT_EQ(authenticator.verify({"Bearer of-bob", kAddress}).error().code,
              Errc::unauthenticated);
    write("# alice has left\n");
    clock_.advance(2ms);
    EXPECT_FALSE(authenticator.remembered({"Bearer of-alice"}));
    EXPECT_FALSE(authenticator.verify({"Bearer of-alice", kAddress}));
}

// A directory takes `BOB` for bob, and a rule about bob must mean the token, too.
TEST_F(AuthenticatorOfManyTest, CallsATokensOwnerAsTheDirectoryDoes) {
    Scripted& tokens = add();
    tokens.logins["of-bob"] = login("BOB", "token");
    tokens.logins["of-bob"].needs_account = true;
    Scripted& directory = add();
    directory.logins["BOB"] = login("bob");
    const auto identity = *start().verify({"Bearer of-bob", kAddress});
    EXPECT_EQ(identity->name, "bob");
    EXPECT_EQ(identity->proof, "token");
}

TEST_F(AuthenticatorOfManyTest, ForgetsNoPasswordForTokens) {
    Scripted& tokens = add();
    Authenticator& authenticator = start({.remembered_max = 2});
    ASSERT_TRUE(authenticator.verify({kAlice, kAddress}));
    for (int i = 0; i < 10; ++i) {
        const std::string token = "token" + std::to_string(i);
        tokens.logins[token] = login("", "bearer");
        ASSERT_TRUE(authenticator.verify({"Bearer " + token, kAddress}));
        EXPECT_TRUE(authenticator.remembered({"Bearer " + token}));
    }
    EXPECT_TRUE(authenticator.remembered({kAlice}));
}

TEST_F(AuthenticatorOfManyTest, TakesATokensWordWhereNobodyKeepsUsers) {
    auto tokens = std::make_unique<Scripted>();
    tokens->logins["of-bob"] = login("bob", "token");
    tokens->logins["of-bob"].needs_account = true;
    std::vector<std::unique_ptr<Verifier>> only;
    only.push_back(std::move(tokens));
    Authenticator authenticator(std::move(only), nullptr, {}, clock_);
    EXPECT_TRUE(authenticator.verify({"Bearer of-bob", kAddress}));
}

TEST_F(AuthenticatorOfManyTest, FindsAccountsByName) {
    Scripted& directory = add();
    directory.logins["bob"] = login("bob");
    Authenticator& authenticator = start();
    EXPECT_EQ((*authenticator.find("bob"))->mark, "mark");
    EXPECT_EQ((*authenticator.find("alice"))->identity.proof, "htpasswd");
    EXPECT_FALSE(authenticator.find("nobody")->has_value());
    directory.failing = Errc::unavailable;
    EXPECT_TRUE(authenticator.find("alice")->has_value());
    EXPECT_EQ(authenticator.find("nobody").error().code, Errc::unavailable);
}

TEST_F(AuthenticatorTest, RemembersWithoutAllocating) {
    Authenticator& authenticator = start();
    ASSERT_TRUE(authenticator.verify({kAlice, kAddress}));
    const std::size_t before = allocation_count();
    const auto identity = authenticator.remembered({kAlice});
    EXPECT_EQ(allocation_count(), before);
    EXPECT_TRUE(identity);
}

}  // namespace
}  // namespace berth::auth
