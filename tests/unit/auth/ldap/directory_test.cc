// The directory against a real slapd: who gets in, by which name and with which groups, and what
// happens while a server is away.
#include "auth/ldap/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <mutex>

#include "support/fake_clock.h"
#include "unit/auth/ldap/slapd.h"

namespace berth::auth {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kService = "cn=service,dc=example,dc=org";
constexpr std::string_view kServicePassword = "the service";
constexpr std::string_view kPeople = "ou=people,dc=example,dc=org";

LdapOptions options_for(const std::string& hosts, std::string_view tail = "?uid",
                        std::string_view scheme = "ldap") {
    LdapOptions options;
    options.url = *LdapUrl::parse(std::string(scheme) + "://" + hosts + "/" + std::string(kPeople) +
                                  std::string(tail));
    options.bind_dn = kService;
    options.bind_password = kServicePassword;
    return options;
}

LdapOptions with_groups(LdapOptions options) {
    options.groups.base = "ou=groups,dc=example,dc=org";
    return options;
}

class DirectoryTest : public testing::Test {
  protected:
    static void SetUpTestSuite() { ::signal(SIGPIPE, SIG_IGN); }

    void use(LdapOptions options) {
        auto made = make_directory(std::move(options), clock, [this](const Error& error) {
            std::lock_guard lock(mutex_);
            reports.push_back(error.detail);
        });
        ASSERT_TRUE(made) << made.error().detail;
        directory = std::move(*made);
    }

    Result<std::optional<Login>> verify(const std::string& user, const std::string& password) {
        return directory->verify({Credentials::Scheme::basic, user, password});
    }
    // The name they get; `-` for nobody, `?` for "cannot tell".
    std::string name_of(const std::string& user, const std::string& password) {
        const auto login = verify(user, password);
        if (!login) {
            EXPECT_EQ(login.error().code, Errc::unavailable);
            return "?";
        }
        return *login ? (*login)->identity.name : "-";
    }
    std::vector<std::string> groups_of(const std::string& user, const std::string& password) {
        const auto login = verify(user, password);
        return login && *login ? (*login)->identity.groups : std::vector<std::string>{"(nobody)"};
    }

    FakeClock clock;
    std::mutex mutex_;
    std::vector<std::string> reports;
    std::unique_ptr<Verifier> directory;
};

// One server that no test changes.
class SharedDirectoryTest : public DirectoryTest {
  protected:
    static void SetUpTestSuite() {
        DirectoryTest::SetUpTestSuite();
        slapd = std::make_unique<Slapd>(SlapdOptions{.tls = true});
    }
    static void TearDownTestSuite() { slapd.reset(); }
    static inline std::unique_ptr<Slapd> slapd;
};

TEST_F(SharedDirectoryTest, ARightPasswordIsALogin) {
    use(options_for(slapd->host()));
    const auto login = verify("alice", "wonder:land");
    ASSERT_TRUE(login && *login);
    EXPECT_EQ((*login)->identity.name, "alice");
    EXPECT_EQ((*login)->identity.proof, "ldap");
    EXPECT_EQ((*login)->identity.kind, Identity::Kind::user);
    EXPECT_THAT((*login)->identity.groups, IsEmpty());
    EXPECT_EQ((*login)->expires, clock.now() + 600s);
    EXPECT_EQ((*login)->grace, 3600s);
    EXPECT_THAT(reports, IsEmpty());
}

TEST_F(SharedDirectoryTest, WhoeverHasNotThePasswordIsNobody) {
    for (const std::string user_dn : {"", "uid={user},ou=people,dc=example,dc=org"}) {
        auto options = options_for(slapd->host());
        options.user_dn = user_dn;
        use(options);
        const std::pair<std::string, std::string> rows[] = {
            {"alice", "wonder:lan"},
            {"alice", "wonder:land "},
            {"alice", "builder"},
            {"alice", ""},
            {"alice", "wonder:land\0"s},
            {"", "wonder:land"},
            {"alice\0"s, "wonder:land"},
            {"nobody", "wonder:land"},
            {"nopassword", "x"},
            {"nopassword", ""},
            {"al*", "wonder:land"},
            {"*", "wonder:land"},
            {"alice)(uid=alice", "wonder:land"},
            {"*)(objectClass=*", "wonder:land"},
            {"alice\\2a", "wonder:land"},
            {"alice,ou=people", "wonder:land"},
            {"uid=alice,ou=people,dc=example,dc=org", "wonder:land"},
            {"alice+cn=Alice", "wonder:land"},
            {"al\xff", "wonder:land"},
            {"service", "the service"},
            {std::string(257, 'a'), "wonder:land"},
        };
        for (const auto& [user, password] : rows) {
            EXPECT_EQ(name_of(user, password), "-") << user << " " << password;
        }
        EXPECT_EQ(name_of("alice", "wonder:land"), "alice");
    }
    EXPECT_THAT(reports, IsEmpty());
}

TEST_F(SharedDirectoryTest, OnlyBasicCredentialsAreItsOwn) {
    use(options_for(slapd->host()));
    const auto bearer = directory->verify({Credentials::Scheme::bearer, "alice", "wonder:land"});
    ASSERT_TRUE(bearer);
    EXPECT_FALSE(*bearer);
}

TEST_F(SharedDirectoryTest, OddNamesAreNamesLikeOthers) {
    for (const std::string user_dn : {"", "uid={user},ou=people,dc=example,dc=org"}) {
        auto options = with_groups(options_for(slapd->host()));
        options.user_dn = user_dn;
        use(options);
        EXPECT_EQ(name_of("*", "star"), "*");
        EXPECT_EQ(name_of("a)(uid=*", "odd"), "a)(uid=*");
        EXPECT_EQ(name_of("o'brien, jr", "brien"), "o'brien, jr");
        EXPECT_EQ(name_of("jörg müller", "pässwörd"), "jörg müller");
        EXPECT_EQ(name_of("jörg müller", "passwort"), "-");
        EXPECT_THAT(groups_of("o'brien, jr", "brien"), ElementsAre("posix"));
        EXPECT_THAT(groups_of("*", "star"), IsEmpty());
        EXPECT_THAT(groups_of("a)(uid=*", "odd"), IsEmpty());
    }
}

TEST_F(SharedDirectoryTest, AnEntryHasOneNameHoweverItIsTyped) {
    use(options_for(slapd->host()));
    EXPECT_EQ(name_of("ALICE", "wonder:land"), "alice");
    EXPECT_EQ(name_of(" alice ", "wonder:land"), "alice");
    EXPECT_EQ(name_of("a-bob", "builder"), "bob");
    auto direct = options_for(slapd->host());
    direct.user_dn = "uid={user},ou=people,dc=example,dc=org";
    use(direct);
    EXPECT_EQ(name_of("Alice", "wonder:land"), "alice");
}

TEST_F(SharedDirectoryTest, ANameOfSeveralEntriesIsNobodysAndReported) {
    use(options_for(slapd->host(), "?mail"));
    EXPECT_EQ(name_of("shared@example.org", "wonder:land"), "-");
    EXPECT_EQ(name_of("shared@example.org", "builder"), "-");
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_THAT(reports[0], HasSubstr("shared@example.org"));
    EXPECT_EQ(name_of("bob@example.org", "builder"), "bob@example.org");
}

TEST_F(SharedDirectoryTest, TheFilterDecidesWhoIsAUser) {
    for (const std::string user_dn : {"", "uid={user},ou=people,dc=example,dc=org"}) {
        auto options = options_for(slapd->host(), "?uid?one?(!(sn=B))");
        options.user_dn = user_dn;
        use(options);
        EXPECT_EQ(name_of("alice", "wonder:land"), "alice");
        EXPECT_EQ(name_of("bob", "builder"), "-");
        EXPECT_FALSE(*directory->find("bob"));
    }
}

TEST_F(SharedDirectoryTest, GroupsAreFoundThroughGroupsAndCycles) {
    auto options = with_groups(options_for(slapd->host()));
    use(options);
    EXPECT_THAT(groups_of("alice", "wonder:land"),
                ElementsAre("company", "devs", "engineering", "posix", "unique"));
    EXPECT_THAT(groups_of("bob", "builder"), ElementsAre("others"));
    options.groups.depth = 0;
    use(options);
    EXPECT_THAT(groups_of("alice", "wonder:land"), ElementsAre("devs", "posix", "unique"));
    options.groups.depth = 1;
    options.groups.filter = "(objectClass=groupOfNames)";
    use(options);
    EXPECT_THAT(groups_of("alice", "wonder:land"), ElementsAre("devs", "engineering"));
}

TEST_F(SharedDirectoryTest, GroupsAreReadFromTheOwnAttribute) {
    auto options = options_for(slapd->host());
    options.groups.own_attribute = "memberOf";
    use(options);
    EXPECT_THAT(groups_of("alice", "wonder:land"), ElementsAre("company", "devs", "engineering"));
    options.groups.depth = 0;
    use(options);
    EXPECT_THAT(groups_of("alice", "wonder:land"), ElementsAre("devs"));
}

TEST_F(SharedDirectoryTest, AMailAddressAsNameStillFindsPosixGroups) {
    slapd->change(
        "dn: uid=alice,ou=people,dc=example,dc=org\nchangetype: modify\nadd: mail\n"
        "mail: alice@example.org\n");
    use(with_groups(options_for(slapd->host(), "?mail")));
    EXPECT_THAT(groups_of("alice@example.org", "wonder:land"), Contains("posix"));
    slapd->change(
        "dn: uid=alice,ou=people,dc=example,dc=org\nchangetype: modify\ndelete: mail\n"
        "mail: alice@example.org\n");
}

TEST_F(SharedDirectoryTest, AConnectionIsNeverLeftToAUser) {
    auto options = options_for(slapd->host());
    options.connections = 1;
    use(options);
    // Each search after a login or a refusal must be the service account's: users see nobody else.
    EXPECT_EQ(name_of("bob", "builder"), "bob");
    EXPECT_EQ(name_of("alice", "wonder:land"), "alice");
    EXPECT_EQ(name_of("alice", "wrong"), "-");
    EXPECT_EQ(name_of("bob", "builder"), "bob");
    EXPECT_TRUE(*directory->find("alice"));
}

TEST_F(SharedDirectoryTest, WithoutAServiceAccountTheUserReadsItsOwnEntry) {
    auto options = options_for(slapd->host());
    options.bind_dn.clear();
    options.bind_password.clear();
    use(options);  // anonymous searches see nothing here
    EXPECT_EQ(name_of("alice", "wonder:land"), "?");
    options.user_dn = "uid={user},ou=people,dc=example,dc=org";
    options.groups.own_attribute = "memberOf";
    options.groups.depth = 0;
    use(options);
    EXPECT_THAT(groups_of("alice", "wonder:land"), ElementsAre("devs"));
    EXPECT_EQ(name_of("bob", "builder"), "bob");
    EXPECT_EQ(name_of("alice", "builder"), "-");
}

TEST_F(SharedDirectoryTest, TlsVerifiesTheServer) {
    struct Row {
        std::string what, scheme, host;
        bool start_tls, verify;
        std::string ca, expected;
    };
    const std::string other_name = "localhost" + slapd->tls_host().substr(9);
    const Slapd stranger({.tls = true});
    const std::vector<Row> rows{
        {"ldaps", "ldaps", slapd->tls_host(), false, true, slapd->ca(), "alice"},
        {"StartTLS", "ldap", slapd->host(), true, true, slapd->ca(), "alice"},
        {"a stranger's CA", "ldaps", slapd->tls_host(), false, true, stranger.ca(), "?"},
        {"a stranger's CA, StartTLS", "ldap", slapd->host(), true, true, stranger.ca(), "?"},
        {"the system's CAs", "ldaps", slapd->tls_host(), false, true, "", "?"},
        {"another host name", "ldaps", other_name, false, true, slapd->ca(), "?"},
        {"not verified", "ldaps", other_name, false, false, "", "alice"},
        {"TLS on the plain port", "ldaps", slapd->host(), false, true, slapd->ca(), "?"},
    };
    for (const Row& row : rows) {
        auto options = options_for(row.host, "?uid", row.scheme);
        options.start_tls = row.start_tls;
        options.verify = row.verify;
        options.ca = row.ca;
        reports.clear();
        use(options);
        EXPECT_EQ(name_of("alice", "wonder:land"), row.expected) << row.what;
        EXPECT_EQ(reports.size(), row.expected == "?" ? 1U : 0U) << row.what;
    }
}

TEST_F(SharedDirectoryTest, ABaseThatIsNotThereIsNoWrongPassword) {
    auto options = options_for(slapd->host());
    options.url.base = "ou=nowhere,dc=example,dc=org";
    use(options);
    EXPECT_EQ(name_of("alice", "wonder:land"), "?");
    EXPECT_EQ(name_of("alice", "wonder:land"), "?");
    EXPECT_THAT(reports, ElementsAre(HasSubstr("ou=nowhere")));
    auto groups = with_groups(options_for(slapd->host()));
    groups.groups.base = "ou=nowhere,dc=example,dc=org";
    use(groups);
    EXPECT_EQ(name_of("alice", "wonder:land"), "?");
    EXPECT_EQ(name_of("alice", "wrong"), "-");
}

TEST_F(SharedDirectoryTest, ARefusedServiceAccountIsReportedAndNotTriedAgainSoon) {
    auto options = options_for(slapd->host());
    options.bind_password = "not the service";
    use(options);
    EXPECT_EQ(name_of("alice", "wonder:land"), "?");
    clock.advance(50s);
    EXPECT_EQ(name_of("alice", "wonder:land"), "?");
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_THAT(reports[0], HasSubstr("the service account " + std::string(kService)));
    EXPECT_THAT(reports[0], Not(HasSubstr("not the service")));
}

// Tests that change their server.
TEST_F(DirectoryTest, FindSaysWhetherTheAccountIsStillThere) {
    const Slapd slapd;
    auto options = with_groups(options_for(slapd.host()));
    use(options);
    auto found = directory->find("alice");
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->identity.name, "alice");
    EXPECT_THAT((*found)->identity.groups, Contains("engineering"));
    EXPECT_NE((*found)->mark, "");
    EXPECT_FALSE(*directory->find("nobody"));
    EXPECT_FALSE(*directory->find(""));
    EXPECT_FALSE(*directory->find("*)(uid=alice"));

    slapd.change("dn: uid=alice,ou=people,dc=example,dc=org\nchangetype: delete\n");
    EXPECT_TRUE(*directory->find("alice"));  // it was looked at lately
    clock.advance(600s);
    EXPECT_FALSE(*directory->find("alice"));
}

TEST_F(DirectoryTest, TheMarkChangesWithThePassword) {
    const Slapd slapd;
    use(options_for(slapd.host()));
    slapd.change(  // modifyTimestamp counts seconds: one that is long ago
        "dn: uid=bob,ou=people,dc=example,dc=org\nchangetype: modify\nreplace: modifyTimestamp\n"
        "modifyTimestamp: 20200102030405Z\n");
    EXPECT_EQ((*directory->find("bob"))->mark, "20200102030405Z");
    slapd.set_password("uid=bob,ou=people,dc=example,dc=org", "another");
    clock.advance(600s);
    EXPECT_NE((*directory->find("bob"))->mark, "20200102030405Z");
    EXPECT_EQ(name_of("bob", "builder"), "-");
    EXPECT_EQ(name_of("bob", "another"), "bob");
}

TEST_F(DirectoryTest, GroupsAreRememberedForAsLongAsALogin) {
    const Slapd slapd;
    use(with_groups(options_for(slapd.host())));
    const auto first = verify("bob", "builder");
    clock.advance(400s);
    slapd.change("dn: cn=others,ou=groups,dc=example,dc=org\nchangetype: delete\n");
    const auto second = verify("bob", "builder");
    ASSERT_TRUE(second && *second);
    EXPECT_THAT((*second)->identity.groups, ElementsAre("others"));
    EXPECT_EQ((*second)->expires, (*first)->expires);
    clock.advance(200s);
    EXPECT_THAT(groups_of("bob", "builder"), IsEmpty());
}

TEST_F(DirectoryTest, AServerThatWasStartedAnewIsNoTrouble) {
    Slapd slapd;
    use(options_for(slapd.host()));
    EXPECT_EQ(name_of("alice", "wonder:land"), "alice");
    slapd.stop();
    slapd.start();
    EXPECT_EQ(name_of("alice", "wonder:land"), "alice");
    EXPECT_THAT(reports, IsEmpty());
}

TEST_F(DirectoryTest, WhileNoServerAnswersNobodyIsRefusedNorLetIn) {
    Slapd slapd;
    auto options = options_for(slapd.host());
    use(options);
    EXPECT_TRUE(*directory->find("alice"));
    slapd.stop();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(name_of("alice", "wonder:land"), "?");
        EXPECT_EQ(name_of("alice", "wrong"), "?");
        EXPECT_EQ(name_of("nobody", "wrong"), "?");
        clock.advance(1s);
    }
    EXPECT_EQ(name_of("alice", ""), "-");
    EXPECT_THAT(reports, ElementsAre(HasSubstr("LDAP server ldap://" + slapd.host() + ":")));

    // Who was found goes on through the time and the grace.
    clock.advance(600s);
    EXPECT_TRUE(*directory->find("alice"));
    EXPECT_EQ(directory->find("bob").error().code, Errc::unavailable);
    clock.advance(3600s);
    EXPECT_EQ(directory->find("alice").error().code, Errc::unavailable);

    slapd.start();
    clock.advance(1s);
    EXPECT_EQ(name_of("alice", "wonder:land"), "alice");
    EXPECT_EQ(name_of("alice", "wrong"), "-");
    EXPECT_THAT(reports, ElementsAre(testing::_, HasSubstr("answers again")));
}

TEST_F(DirectoryTest, TheNextServerServesWhileTheFirstIsAway) {
    Slapd first;
    Slapd second;
    use(options_for(first.host() + " " + second.host()));
    second.set_password("uid=bob,ou=people,dc=example,dc=org", "second");
    EXPECT_EQ(name_of("bob", "builder"), "bob");
    EXPECT_EQ(name_of("bob", "second"), "-");
    first.stop();
    EXPECT_EQ(name_of("bob", "second"), "bob");
    EXPECT_EQ(name_of("bob", "builder"), "-");
    first.start();
    clock.advance(14s);
    EXPECT_EQ(name_of("bob", "second"), "bob");  // the first is left alone for a while
    clock.advance(1s);
    EXPECT_EQ(name_of("bob", "builder"), "bob");
    second.stop();
    EXPECT_EQ(name_of("bob", "builder"), "bob");
    EXPECT_THAT(reports, ElementsAre(HasSubstr(first.host()), HasSubstr("answers again")));
}

TEST_F(DirectoryTest, AServerThatIsSilentCostsItsTimeoutOnce) {
    Slapd silent;
    Slapd second;
    auto options = options_for(silent.host() + " " + second.host());
    options.connect_timeout = 200ms;
    options.timeout = 300ms;
    use(options);
    EXPECT_EQ(name_of("alice", "wonder:land"), "alice");
    silent.freeze();
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(name_of("alice", "wonder:land"), "alice");
    EXPECT_GE(std::chrono::steady_clock::now() - start, 300ms);
    EXPECT_THAT(reports, ElementsAre(HasSubstr(silent.host())));
    silent.thaw();
}

TEST_F(DirectoryTest, AServerThatIsSilentWithinTlsCostsItsTimeout) {
    Slapd silent({.tls = true});
    for (const bool start_tls : {false, true}) {
        auto options = start_tls ? options_for(silent.host())
                                 : options_for(silent.tls_host(), "?uid", "ldaps");
        options.start_tls = start_tls;
        options.ca = silent.ca();
        options.connect_timeout = 200ms;
        options.timeout = 300ms;
        silent.freeze();
        reports.clear();
        use(options);
        EXPECT_EQ(name_of("alice", "wonder:land"), "?");
        EXPECT_EQ(reports.size(), 1U);
        silent.thaw();
        clock.advance(1s);
        EXPECT_EQ(name_of("alice", "wonder:land"), "alice");
    }
}

TEST_F(DirectoryTest, TheServiceAccountsPasswordIsReadAnewFromItsFile) {
    const Slapd slapd;
    const TemporaryDirectory folder;
    const auto write = [&folder](std::string_view text) {
        std::ofstream(folder.file("password")) << text;
    };
    write("the service\n");
    auto options = options_for(slapd.host());
    options.bind_password.clear();
    options.bind_password_file = folder.file("password");
    use(options);
    EXPECT_EQ(name_of("alice", "wonder:land"), "alice");

    slapd.set_password(std::string(kService), "a new one");
    EXPECT_EQ(name_of("alice", "wonder:land"), "?");
    EXPECT_THAT(reports, ElementsAre(HasSubstr("is refused")));
    write("a new one");
    EXPECT_EQ(name_of("alice", "wonder:land"), "alice");
    EXPECT_THAT(reports, ElementsAre(testing::_, HasSubstr("answers again")));
}

TEST(MakeDirectory, RefusesWhatMakesNoSense) {
    const FakeClock clock;
    const auto code = [&clock](void (*change)(LdapOptions&)) {
        LdapOptions options = with_groups(options_for("127.0.0.1"));
        change(options);
        const auto made = make_directory(std::move(options), clock, [](const Error&) {});
        return made ? std::nullopt : std::optional(made.error().code);
    };
    EXPECT_EQ(code([](LdapOptions&) {}), std::nullopt);
    void (*const wrong[])(LdapOptions&) = {
        [](LdapOptions& options) { options.url.servers.clear(); },
        [](LdapOptions& options) { options.bind_password.clear(); },
        [](LdapOptions& options) { options.bind_dn.clear(); },
        [](LdapOptions& options) { options.bind_password_file = "/dev/null"; },
        [](LdapOptions& options) {
            options.bind_password.clear();
            options.bind_password_file = "/dev/null";
        },
        [](LdapOptions& options) { options.user_dn = "uid=alice,dc=example"; },
        [](LdapOptions& options) { options.user_dn = "{user}@example.org"; },
        [](LdapOptions& options) { options.timeout = 0ms; },
        [](LdapOptions& options) { options.connect_timeout = -1ms; },
        [](LdapOptions& options) { options.connections = 0; },
        [](LdapOptions& options) { options.groups.base = "groups"; },
        [](LdapOptions& options) { options.groups.filter = "objectClass=x"; },
        [](LdapOptions& options) { options.groups.name_attribute = "c n"; },
        [](LdapOptions& options) { options.groups.own_attribute = "*"; },
        [](LdapOptions& options) { options.groups.member_attributes.clear(); },
        [](LdapOptions& options) { options.groups.member_attributes = {"member="}; },
        [](LdapOptions& options) {
            options.start_tls = true;
            options.url = *LdapUrl::parse("ldaps://127.0.0.1/o=x");
        },
    };
    for (std::size_t i = 0; i < std::size(wrong); ++i)
        EXPECT_EQ(code(wrong[i]), Errc::invalid) << i;
    EXPECT_EQ(code([](LdapOptions& options) { options.ca = "/nowhere/ca.crt"; }), Errc::not_found);
    EXPECT_EQ(code([](LdapOptions& options) {
                  options.bind_password.clear();
                  options.bind_password_file = "/nowhere/password";
              }),
              Errc::not_found);
}

}  // namespace
}  // namespace berth::auth
