// Goal: a secret opens what it is for, for whom and until when it is for, and nothing else does;
// whoever reads the file learns no secret, and no writer loses another's token.
// Method: a real file in a temporary directory, a fake clock; processes that write at once.
#include "auth/token/access_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "auth/policy/grants.h"
#include "auth/policy/policy.h"
#include "auth/token/access_token_table.h"
#include "base/encoding.h"
#include "support/fake_clock.h"
#include "support/temporary_directory.h"

namespace berth::auth {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kNotValid = "the access token is not valid (any more)";

class AccessTokensTest : public testing::Test {
  protected:
    std::string path() const { return files_.file("tokens"); }
    std::unique_ptr<AccessTokens> open() {
        auto opened = AccessTokens::open(
            path(), clock_, [this](const Error& error) { reported_.push_back(error.detail); });
        EXPECT_TRUE(opened) << opened.error().detail;
        return std::move(*opened);
    }
    // Watched files look at their file at most once in 2 ms.
    void let_time_pass() { clock_.advance(10ms); }

    std::string text() const {
        std::ostringstream all;
        all << std::ifstream(path()).rdbuf();
        return all.str();
    }
    void write(const std::string& content) const { std::ofstream(path()) << content; }

    Result<std::optional<Login>> log_in(const std::string& user, const std::string& secret) {
        return verifier_->verify(
            {.scheme = Credentials::Scheme::basic, .user = user, .secret = secret});
    }
    Result<std::optional<Login>> bear(const std::string& secret) {
        return verifier_->verify(
            {.scheme = Credentials::Scheme::bearer, .user = {}, .secret = secret});
    }
    // What the caller is told; `nobody` when others are asked, `in` when it is let in.
    static std::string answer(const Result<std::optional<Login>>& verified) {
        if (!verified) {
            EXPECT_EQ(verified.error().code, Errc::unauthenticated);
            return verified.error().detail;
        }
        return *verified ? "in" : "nobody";
    }

    FakeClock clock_;
    TemporaryDirectory files_;
    std::vector<std::string> reported_;
    std::unique_ptr<AccessTokens> tokens_ = open();
    std::unique_ptr<Verifier> verifier_ = tokens_->verifier();
};

AccessToken robot(std::string name) {
    return {.name = std::move(name), .kind = Identity::Kind::robot};
}

TEST_F(AccessTokensTest, ASecretLogsItsHolderIn) {
    const Time ends = clock_.now() + 24h;
    const auto made =
        tokens_->create({.name = "alice", .description = "laptop", .expires = ends}).value();
    EXPECT_THAT(made.secret, testing::MatchesRegex("berth_[a-z2-7]{8}_[A-Za-z0-9_-]{43}"));
    EXPECT_EQ(made.secret.substr(6, 8), made.token.id);
    for (const auto& verified : {log_in("alice", made.secret), bear(made.secret)}) {
        ASSERT_TRUE(verified && *verified);
        const Login& login = **verified;
        EXPECT_EQ(login.identity.name, "alice");
        EXPECT_EQ(login.identity.kind, Identity::Kind::user);
        EXPECT_EQ(login.identity.proof, "token");
        EXPECT_EQ(login.identity.grants, nullptr);
        EXPECT_EQ(login.expires, ends);
    }
}

TEST_F(AccessTokensTest, ARobotIsNoUserAndHasItsLimits) {
    AccessToken wanted = robot("ci");
    wanted.allow = {"pull:**", "push:team/**"};
    const auto made = tokens_->create(wanted).value();
    const auto verified = log_in("ci", made.secret);
    ASSERT_TRUE(verified && *verified);
    const Identity& identity = (*verified)->identity;
    EXPECT_EQ(identity.kind, Identity::Kind::robot);
    EXPECT_EQ((*verified)->expires, Time::max());
    ASSERT_NE(identity.grants, nullptr);
    EXPECT_TRUE(identity.grants->cover({Action::create, "team/app", {}}, "ci"));
    EXPECT_TRUE(identity.grants->cover({Action::pull, "other/app", {}}, "ci"));
    EXPECT_FALSE(identity.grants->cover({Action::create, "other/app", {}}, "ci"));
    EXPECT_FALSE(identity.grants->cover({Action::admin, {}, {}}, "ci"));
}

TEST_F(AccessTokensTest, WhateverIsWrongIsToldInTheSameWords) {
    const auto made = tokens_->create({.name = "alice", .expires = clock_.now() + 1h}).value();
    const auto revoked = tokens_->create({.name = "alice"}).value();
    ASSERT_TRUE(tokens_->revoke(revoked.token.id));
    std::string forged = made.secret;
    forged.back() = forged.back() == 'A' ? 'B' : 'A';
    std::string unknown = made.secret;
    unknown.replace(6, 8, "aaaaaaaa");

    EXPECT_EQ(answer(log_in("alice", forged)), kNotValid);
    EXPECT_EQ(answer(log_in("alice", unknown)), kNotValid);
    EXPECT_EQ(answer(log_in("alice", revoked.secret)), kNotValid);
    EXPECT_EQ(answer(log_in("bob", made.secret)), kNotValid) << "not bob's";
    EXPECT_EQ(answer(log_in("Alice", made.secret)), kNotValid);
    EXPECT_EQ(answer(log_in("", made.secret)), kNotValid);
    EXPECT_EQ(answer(bear(forged)), kNotValid);
    EXPECT_EQ(answer(bear(revoked.secret)), kNotValid);
    EXPECT_EQ(answer(log_in("alice", made.secret)), "in");
    clock_.advance(1h);
    EXPECT_EQ(answer(log_in("alice", made.secret)), kNotValid) << "it has expired";
    EXPECT_EQ(answer(bear(made.secret)), kNotValid);
}

TEST_F(AccessTokensTest, WhatHasNotTheFormIsForOthers) {
    const std::string secret = tokens_->create({.name = "alice"}).value().secret;
    std::string other_alphabet = secret;
    other_alphabet.back() = '+';
    for (const std::string& text :
         {std::string(), std::string("berth_"), std::string("berth_is_my_password"),
          secret.substr(0, secret.size() - 1), secret + "A", " " + secret, "B" + secret.substr(1),
          other_alphabet, std::string("berth_AAAAAAAA_") + secret.substr(15)}) {
        EXPECT_EQ(answer(log_in("alice", text)), "nobody") << text;
        EXPECT_EQ(answer(bear(text)), "nobody") << text;
    }
    const Credentials certificate{
        .scheme = Credentials::Scheme::certificate, .user = {}, .secret = secret};
    EXPECT_EQ(answer(verifier_->verify(certificate)), "nobody");
}

TEST_F(AccessTokensTest, TheFileHoldsNoSecretAndIsOnlyOurs) {
    const auto made = tokens_->create({.name = "alice"}).value();
    struct ::stat found{};
    ASSERT_EQ(::stat(path().c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777, 0600U);
    EXPECT_THAT(text(), HasSubstr(made.token.id));
    EXPECT_THAT(text(), Not(HasSubstr(made.secret.substr(15))));
    EXPECT_THAT(text(), Not(HasSubstr("berth_")));
    ASSERT_TRUE(tokens_->revoke(made.token.id));
    EXPECT_THAT(text(), Not(HasSubstr(made.token.id)));
}

TEST_F(AccessTokensTest, AnotherProcessChangesWhatTheServerKnows) {
    const auto elsewhere = open();
    const std::uint64_t before = verifier_->version();
    const auto made = elsewhere->create({.name = "alice"}).value();
    let_time_pass();
    const std::uint64_t created = verifier_->version();
    EXPECT_NE(created, before);
    EXPECT_EQ(answer(log_in("alice", made.secret)), "in");
    ASSERT_TRUE(elsewhere->revoke(made.token.id));
    let_time_pass();
    EXPECT_NE(verifier_->version(), created);
    EXPECT_EQ(answer(log_in("alice", made.secret)), kNotValid);
}

TEST_F(AccessTokensTest, ListsWhatIsThereTheOldestFirst) {
    EXPECT_TRUE(tokens_->list()->empty());
    AccessToken first = robot("ci");
    first.allow = {"pull:**"};
    first.description = "pulls for the cluster";
    first.created_by = "admin";
    first.expires = clock_.now() + 1h;
    const Time at = clock_.now();
    const auto one = tokens_->create(first).value();
    clock_.advance(2h);
    const auto two = tokens_->create({.name = "alice"}).value();
    const auto list = tokens_->list().value();
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[0].id, one.token.id);
    EXPECT_EQ(list[0].name, "ci");
    EXPECT_EQ(list[0].kind, Identity::Kind::robot);
    EXPECT_EQ(list[0].allow, first.allow);
    EXPECT_EQ(list[0].description, first.description);
    EXPECT_EQ(list[0].created_by, "admin");
    EXPECT_EQ(list[0].created, at);
    EXPECT_EQ(list[0].expires, first.expires);
    EXPECT_TRUE(list[0].expired(clock_.now()));
    EXPECT_EQ(list[0].last_used, std::nullopt);
    EXPECT_EQ(list[1].id, two.token.id);
    EXPECT_EQ(list[1].expires, std::nullopt);
    EXPECT_FALSE(list[1].expired(clock_.now()));
}

TEST_F(AccessTokensTest, RevokingWhatIsNotThereIsNotFound) {
    const auto made = tokens_->create({.name = "alice"}).value();
    for (const char* id : {"aaaaaaaa", "", "../tokens"}) {
        EXPECT_EQ(tokens_->revoke(id).error().code, Errc::not_found);
    }
    ASSERT_TRUE(tokens_->revoke(made.token.id));
    EXPECT_EQ(tokens_->revoke(made.token.id).error().code, Errc::not_found);
}

TEST_F(AccessTokensTest, ShowsWhenATokenWasUsed) {
    const auto used = tokens_->create({.name = "alice"}).value();
    const auto unused = tokens_->create({.name = "alice"}).value();
    clock_.advance(1h);
    const Time at = clock_.now();
    ASSERT_EQ(answer(log_in("alice", used.secret)), "in");
    ASSERT_EQ(answer(log_in("bob", unused.secret)), kNotValid);
    const auto last_use = [](AccessTokens& tokens, const std::string& id) {
        const auto all = tokens.list().value();
        for (const AccessToken& token : all) {
            if (token.id == id) return token.last_used;
        }
        return std::optional<Time>();
    };
    EXPECT_EQ(last_use(*tokens_, used.token.id), at);
    EXPECT_EQ(last_use(*tokens_, unused.token.id), std::nullopt);
    EXPECT_EQ(last_use(*open(), used.token.id), std::nullopt) << "not written yet";
    ASSERT_TRUE(tokens_->save_last_used());
    EXPECT_EQ(last_use(*open(), used.token.id), at);

    // Another server that used it earlier does not turn the time back.
    const auto other = open();
    clock_.set(at - 30min);
    ASSERT_TRUE(other->verifier()->verify({.user = "alice", .secret = used.secret}));
    ASSERT_TRUE(other->save_last_used());
    EXPECT_EQ(last_use(*tokens_, used.token.id), at);
}

TEST_F(AccessTokensTest, WritesLastUsesOnlyWhenThereWereAny) {
    const std::string used = path() + ".used";
    ASSERT_TRUE(tokens_->save_last_used());
    EXPECT_NE(::access(used.c_str(), F_OK), 0);
    const auto made = tokens_->create({.name = "alice"}).value();
    const auto gone = tokens_->create({.name = "alice"}).value();
    ASSERT_EQ(answer(log_in("alice", made.secret)), "in");
    ASSERT_EQ(answer(log_in("alice", gone.secret)), "in");
    ASSERT_TRUE(tokens_->revoke(gone.token.id));
    ASSERT_TRUE(tokens_->save_last_used());
    struct ::stat before{}, after{};
    ASSERT_EQ(::stat(used.c_str(), &before), 0);
    EXPECT_EQ(before.st_mode & 07777, 0600U);
    ASSERT_TRUE(tokens_->save_last_used());
    ASSERT_EQ(::stat(used.c_str(), &after), 0);
    EXPECT_EQ(before.st_ino, after.st_ino);
    std::ostringstream all;
    all << std::ifstream(used).rdbuf();
    EXPECT_THAT(all.str(), HasSubstr(made.token.id));
    EXPECT_THAT(all.str(), Not(HasSubstr(gone.token.id)));
    // Nothing depends on it.
    std::ofstream(used) << "not JSON";
    EXPECT_TRUE(tokens_->list());
}

TEST_F(AccessTokensTest, SaysSinceWhenIssuedTokensAreVoid) {
    EXPECT_EQ(tokens_->issued_revoked_at("alice"), std::nullopt);
    const Time first = clock_.now();
    ASSERT_TRUE(tokens_->revoke_issued("alice"));
    EXPECT_EQ(tokens_->issued_revoked_at("alice"), first);
    EXPECT_EQ(tokens_->issued_revoked_at("bob"), std::nullopt);
    clock_.set(first - 1h);
    ASSERT_TRUE(tokens_->revoke_issued("alice"));
    EXPECT_EQ(open()->issued_revoked_at("alice"), first) << "a clock set back revives nothing";
    const std::uint64_t before = verifier_->version();
    let_time_pass();
    ASSERT_TRUE(tokens_->revoke_issued("bob"));
    EXPECT_NE(verifier_->version(), before);
    EXPECT_EQ(tokens_->revoke_issued("a:b").error().code, Errc::invalid);
}

struct Refused {
    AccessToken wanted;
    std::string saying;
};

TEST_F(AccessTokensTest, RefusesWhatCannotBe) {
    const Time now = clock_.now();
    std::vector<Refused> rows = {
        {{.name = ""}, "the name is empty"},
        {{.name = "a:b"}, "colon"},
        {{.name = "a\nb"}, "control"},
        {{.name = "#a"}, "starts with"},
        {{.name = std::string("a\0b", 3)}, "control"},
        {{.name = "\xff"}, "UTF-8"},
        {{.name = std::string(256, 'a')}, "more than 255 bytes"},
        {{.name = "a", .kind = Identity::Kind::oidc}, "only users and robots"},
        {{.name = "a", .description = std::string(1025, 'a')}, "the description"},
        {{.name = "a", .description = "\x1b[31m"}, "control"},
        {{.name = "a", .description = "\xc2\x9b\x33\x31m"}, "control"},
        {{.name = "a", .allow = {"fly:**"}}, "fly"},
        {{.name = "a", .allow = {""}}, "allow"},
        {{.name = "a", .allow = std::vector<std::string>(65, "pull:**")}, "more than 64"},
        {{.name = "a", .allow = {"pull:" + std::string(512, 'a')}}, "more than 512"},
        {{.name = "a", .expires = now}, "expires"},
        {{.name = "a", .expires = now - 1s}, "expires"},
    };
    for (const Refused& row : rows) {
        SCOPED_TRACE(row.saying);
        const auto made = tokens_->create(row.wanted);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code, Errc::invalid);
        EXPECT_THAT(made.error().detail, HasSubstr(row.saying));
    }
    EXPECT_EQ(text(), "");
}

TEST_F(AccessTokensTest, NobodyHasMoreThanAThousand) {
    const auto made = tokens_->create({.name = "alice"}).value();
    auto table = parse_access_tokens(text()).value();
    StoredToken stored = table.tokens.begin()->second;
    for (int number = 2; table.tokens.size() < 1000; ++number) {
        stored.token.id = "id" + std::to_string(number);
        table.tokens.emplace(stored.token.id, stored);
    }
    write(format_access_tokens(table));
    EXPECT_EQ(tokens_->create({.name = "alice"}).error().code, Errc::conflict);
    EXPECT_TRUE(tokens_->create(robot("alice"))) << "somebody else";
    EXPECT_TRUE(tokens_->revoke("id2"));
    EXPECT_TRUE(tokens_->create({.name = "alice"}));
}

TEST_F(AccessTokensTest, ABrokenFileChangesNothingAndIsReported) {
    const auto made = tokens_->create({.name = "alice"}).value();
    ASSERT_EQ(answer(log_in("alice", made.secret)), "in");
    const std::string good = text();
    for (const std::string& bad :
         {std::string("not JSON\n"), std::string("[]\n"), std::string("{}\n"), good + good,
          good + R"({"revoked":"alice"})" + "\n",
          good + R"({"revoked":"alice","at":"2024-01-01T00:00:00Z","more":1})" + "\n",
          std::string(good).replace(good.find("\"id\""), 4, "\"ip\""),
          std::string(good).replace(good.find("\"user\""), 6, "\"oidc\""),
          std::string(good).replace(good.find("\"alice\""), 7, "\"\""),
          std::string(good).replace(good.find("\"hash\":\"") + 8, 2, ""),
          std::string(good).replace(good.find("[]"), 2, "[1]"),
          std::string(good).replace(good.find("[]"), 2, R"(["fly:**"])"),
          good.substr(0, good.size() / 2)}) {
        SCOPED_TRACE(bad);
        reported_.clear();
        write(bad);
        clock_.advance(2s);
        EXPECT_EQ(answer(log_in("alice", made.secret)), "in");
        ASSERT_EQ(reported_.size(), 1U);
        EXPECT_THAT(reported_[0], HasSubstr(path() + ": line "));
        EXPECT_EQ(tokens_->create({.name = "bob"}).error().code, Errc::corrupt);
        EXPECT_EQ(tokens_->revoke(made.token.id).error().code, Errc::corrupt);
        EXPECT_EQ(text(), bad) << "nothing is lost by writing over it";
        EXPECT_FALSE(AccessTokens::open(path(), clock_, [](const Error&) {}));
    }
}

TEST_F(AccessTokensTest, AFolderThatIsMissingIsAFailure) {
    const auto tokens =
        AccessTokens::open(files_.file("none/tokens"), clock_, [](const Error&) {}).value();
    EXPECT_TRUE(tokens->list()->empty());
    EXPECT_EQ(tokens->create({.name = "alice"}).error().code, Errc::io);
    EXPECT_EQ(tokens->revoke("aaaaaaaa").error().code, Errc::io);
}

TEST_F(AccessTokensTest, ReadsWhatItWrites) {
    AccessToken wanted = robot("ci \"quoted\" \\ \xc3\xa4");
    wanted.allow = {"pull:**", "push,delete:team/*/app"};
    wanted.description = "\xe2\x82\xac";
    wanted.expires = clock_.now() + 1500ms;
    ASSERT_TRUE(tokens_->create(wanted));
    ASSERT_TRUE(tokens_->create({.name = "alice"}));
    ASSERT_TRUE(tokens_->revoke_issued("alice"));
    EXPECT_EQ(format_access_tokens(parse_access_tokens(text()).value()), text());
}

TEST_F(AccessTokensTest, ProcessesThatWriteAtOnceLoseNothing) {
    constexpr int kProcesses = 4, kEach = 10;
    std::vector<::pid_t> children;
    for (int process = 0; process < kProcesses; ++process) {
        const ::pid_t child = ::fork();
        if (child == 0) {
            bool good = true;
            for (int number = 0; number < kEach; ++number) {
                const std::string name = std::to_string(process) + "-" + std::to_string(number);
                good = tokens_->create(robot(name)).has_value() && good;
            }
            ::_exit(good ? 0 : 1);
        }
        children.push_back(child);
    }
    for (const ::pid_t child : children) {
        int status = -1;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0);
    }
    std::set<std::string> names, ids;
    const auto all = open()->list().value();
    for (const AccessToken& token : all) {
        names.insert(token.name);
        ids.insert(token.id);
    }
    EXPECT_EQ(names.size(), 1U * kProcesses * kEach);
    EXPECT_EQ(ids.size(), names.size());
}

TEST_F(AccessTokensTest, AWriterThatWasKilledLeavesAWholeFile) {
    for (int round = 0; round < 10; ++round) {
        int pipe[2];
        ASSERT_EQ(::pipe(pipe), 0);
        const ::pid_t child = ::fork();
        if (child == 0) {
            for (;;) {
                if (!tokens_->create(robot("ci"))) ::_exit(1);
                if (::write(pipe[1], "x", 1) != 1) ::_exit(1);
            }
        }
        char byte;
        for (int number = 0; number <= round; ++number)
            ASSERT_EQ(::read(pipe[0], &byte, 1), 1);
        ::kill(child, SIGKILL);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFSIGNALED(status));
        ::close(pipe[0]);
        ::close(pipe[1]);
        EXPECT_TRUE(parse_access_tokens(text()));
        EXPECT_TRUE(tokens_->create({.name = "alice"})) << "and no lock stays behind";
    }
}

}  // namespace
}  // namespace berth::auth
