// TlsSource: changes of every kind that files make, and files that are no good.
#include "net/tls_source.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "support/fake_clock.h"
#include "unit/net/authority.h"
#include "unit/net/net_support.h"

namespace berth::net {
namespace {

class TlsSourceTest : public testing::Test {
  protected:
    TlsSourceTest() {
        options.certificate = directory.file("tls.crt");
        options.key = directory.file("tls.key");
    }

    static std::string common_name(const TlsContext& context) {
        std::array<char, 64> name{};
        X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_CTX_get0_certificate(context.get())),
                                  NID_commonName, name.data(), name.size());
        return name.data();
    }
    std::string current() const { return common_name(*source->current()); }

    Pair named(const std::string& name) const { return issue(authority, name); }
    void write(const Pair& pair) const {
        pair.write_certificate(options.certificate);
        pair.write_key(options.key);
    }
    void open() {
        auto opened =
            TlsSource::open(options, clock, [this](LogLevel level, const std::string& sentence) {
                (level == LogLevel::error ? errors : notes).push_back(sentence);
            });
        ASSERT_TRUE(opened) << opened.error().detail;
        source = std::move(*opened);
    }
    void look_twice() const {
        source->look();
        source->look();
    }

    const TemporaryDirectory directory;
    const FakeClock clock;
    const Pair authority = make_authority("an authority");
    TlsOptions options;
    std::vector<std::string> errors;
    std::vector<std::string> notes;
    std::shared_ptr<TlsSource> source;
};

TEST_F(TlsSourceTest, KeepsItsContextAsLongAsNothingChanges) {
    write(named("first"));
    open();
    const auto context = source->current();
    look_twice();
    source->refresh();
    EXPECT_EQ(source->current(), context);
    EXPECT_TRUE(errors.empty());
    EXPECT_TRUE(notes.empty());
}

TEST_F(TlsSourceTest, TakesUpFilesWrittenInPlace) {
    write(named("first"));
    open();
    const auto before = source->current();
    write(named("second"));
    look_twice();
    EXPECT_EQ(current(), "second");
    EXPECT_EQ(common_name(*before), "first");
    ASSERT_EQ(notes.size(), 1U);
    EXPECT_TRUE(notes[0].starts_with("TLS certificate " + options.certificate +
                                     " was read anew; it expires 20"));
}

TEST_F(TlsSourceTest, TakesUpFilesRenamedOverTheOld) {
    write(named("first"));
    open();
    const auto second = named("second");
    second.write_certificate(directory.file("new.crt"));
    second.write_key(directory.file("new.key"));
    std::filesystem::rename(directory.file("new.crt"), options.certificate);
    std::filesystem::rename(directory.file("new.key"), options.key);
    look_twice();
    EXPECT_EQ(current(), "second");
}

// As Kubernetes mounts a secret: tls.crt → ..data/tls.crt, ..data → a directory of this version.
TEST_F(TlsSourceTest, TakesUpADirectoryThatALinkIsTurnedTo) {
    for (const char* version : {"1", "2"}) {
        std::filesystem::create_directory(directory.file(version));
        const auto pair = named(version);
        pair.write_certificate(directory.file(version) + "/tls.crt");
        pair.write_key(directory.file(version) + "/tls.key");
    }
    std::filesystem::create_symlink("1", directory.file("..data"));
    std::filesystem::create_symlink("..data/tls.crt", options.certificate);
    std::filesystem::create_symlink("..data/tls.key", options.key);
    open();
    EXPECT_EQ(current(), "1");
    std::filesystem::create_symlink("2", directory.file("..data_tmp"));
    std::filesystem::rename(directory.file("..data_tmp"), directory.file("..data"));
    look_twice();
    EXPECT_EQ(current(), "2");
}

TEST_F(TlsSourceTest, WaitsUntilNothingChangesAnyMore) {
    write(named("first"));
    open();
    write(named("second"));
    source->look();
    write(named("third"));
    source->look();
    EXPECT_EQ(current(), "first");
    source->look();
    EXPECT_EQ(current(), "third");
    EXPECT_EQ(notes.size(), 1U);
}

TEST_F(TlsSourceTest, RefreshesAtOnce) {
    write(named("first"));
    open();
    write(named("second"));
    source->refresh();
    EXPECT_EQ(current(), "second");
}

TEST_F(TlsSourceTest, KeepsTheOldPairUntilTheNewOneFits) {
    write(named("first"));
    open();
    const auto second = named("second");
    second.write_certificate(options.certificate);
    look_twice();
    look_twice();
    EXPECT_EQ(current(), "first");
    EXPECT_EQ(errors, std::vector<std::string>{
                          "TLS key " + options.key + " does not belong to the certificate " +
                          options.certificate + "; what was read before stays in force"});
    second.write_key(options.key);
    look_twice();
    EXPECT_EQ(current(), "second");
    EXPECT_EQ(errors.size(), 1U);
}

TEST_F(TlsSourceTest, KeepsTheOldPairWhenAFileIsBroken) {
    const auto first = named("first");
    write(first);
    open();
    std::string text;
    std::getline(std::ifstream(options.certificate), text, '\0');
    struct Case {
        const char* name;
        std::string path;
        std::string content;
    };
    for (const Case& c :
         {Case{"empty", options.certificate, ""},
          Case{"half", options.certificate, text.substr(0, text.size() / 2)},
          Case{"one and a half", options.certificate, text + text.substr(0, text.size() / 2)},
          Case{"no PEM", options.key, "nonsense\n"}}) {
        SCOPED_TRACE(c.name);
        errors.clear();
        notes.clear();
        std::ofstream(c.path) << c.content;
        look_twice();
        look_twice();
        EXPECT_EQ(current(), "first");
        EXPECT_EQ(errors.size(), 1U);
        write(first);
        look_twice();
        EXPECT_EQ(notes.size(), 1U);
    }
    std::filesystem::remove(options.key);
    look_twice();
    EXPECT_EQ(current(), "first");
    EXPECT_EQ(errors.size(), 2U);
}

TEST_F(TlsSourceTest, SaysAgainWhatIsWrongWhenItIsAsked) {
    write(named("first"));
    open();
    std::ofstream(options.key) << "nonsense\n";
    look_twice();
    source->refresh();
    ASSERT_EQ(errors.size(), 2U);
    EXPECT_EQ(errors[0], errors[1]);
}

TEST_F(TlsSourceTest, TriesAgainWhatFailedThoughTheFilesAreAsTheyWere) {
    write(named("first"));
    open();
    write(named("second"));
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const rlimit none{0, before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    look_twice();
    ::setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_EQ(current(), "first");
    EXPECT_EQ(errors.size(), 1U);
    source->look();
    EXPECT_EQ(current(), "second");
}

TEST_F(TlsSourceTest, TakesUpAChainAndClientAuthorities) {
    options.chain = directory.file("chain.pem");
    options.client_cas = {directory.file("a.pem"), directory.file("b.pem")};
    write(named("first"));
    for (const auto& path : {options.chain, options.client_cas[0], options.client_cas[1]}) {
        authority.write_certificate(path);
    }
    open();
    for (const auto& path : {options.chain, options.client_cas[0], options.client_cas[1]}) {
        const auto before = source->current();
        make_authority("another").write_certificate(path);
        look_twice();
        EXPECT_NE(source->current(), before) << path;
    }
    EXPECT_EQ(notes.size(), 3U);
}

TEST_F(TlsSourceTest, IsNotOpenedWithFilesThatAreNoGood) {
    write(named("first"));
    named("second").write_key(options.key);
    const auto opened =
        TlsSource::open(options, clock, [](LogLevel, const std::string&) { FAIL(); });
    ASSERT_FALSE(opened);
    EXPECT_EQ(
        opened.error().detail,
        "TLS key " + options.key + " does not belong to the certificate " + options.certificate);
}

TEST_F(TlsSourceTest, LooksByItselfWhileItWatches) {
    write(named("first"));
    std::promise<void> taken_up;
    auto opened = TlsSource::open(options, clock, [&](LogLevel level, const std::string&) {
        if (level == LogLevel::info) taken_up.set_value();
    });
    ASSERT_TRUE(opened);
    source = std::move(*opened);
    source->watch();
    // The two may be seen apart; the pair that fits comes in the end.
    write(named("second"));
    taken_up.get_future().wait();
    EXPECT_EQ(current(), "second");
    source.reset();
}

}  // namespace
}  // namespace berth::net
