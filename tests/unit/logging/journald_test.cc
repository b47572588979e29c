// Goal: entries arrive at the journal's socket, in a file when they are too long for a datagram.
// Method: a socket of the test's own in the journal's place.
#include "logging/journald.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "support/fake_clock.h"
#include "support/temporary_directory.h"
#include "unit/logging/sockets.h"

namespace berth::logging {
namespace {

class JournaldTest : public testing::Test {
  protected:
    std::unique_ptr<LogSink> start(bool access) {
        JournaldOptions options;
        options.socket = path_;
        options.access = access;
        auto sink = make_journald_sink(options, clock_).value();
        sink->start([](LogLevel, std::string_view) {});
        return sink;
    }

    const FakeClock clock_;
    const TemporaryDirectory directory_;
    const std::string path_ = directory_.file("socket");
    const UniqueFd journal_ = bind_socket(net::unix_address(path_).value(), SOCK_DGRAM);
};

TEST_F(JournaldTest, SendsAnEntryInADatagram) {
    const auto sink = start(false);
    EXPECT_FALSE(sink->takes_access());
    sink->write({Time(), LogLevel::warn, "hello", {{"a.b", "c"}}});
    EXPECT_EQ(receive(journal_),
              "MESSAGE=hello a.b=c\nPRIORITY=4\nSYSLOG_IDENTIFIER=berth\nBERTH_LOG=server\n"
              "BERTH_A_B=c\n");
}

TEST_F(JournaldTest, SendsAccessLines) {
    const auto sink = start(true);
    ASSERT_TRUE(sink->takes_access());
    sink->access({}, "::1 - -");
    EXPECT_TRUE(receive(journal_).starts_with("MESSAGE=::1 - -\n"));
}

TEST_F(JournaldTest, SendsALongEntryInASealedFile) {
    const auto sink = start(false);
    const std::string value(1 << 20, 'x');
    sink->write({Time(), LogLevel::info, "long", {{"k", value}}});
    const auto [text, file] = receive_file(journal_);
    EXPECT_EQ(text, "");
    ASSERT_TRUE(file);
    constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    EXPECT_EQ(::fcntl(file.get(), F_GET_SEALS), kSeals);
    struct stat status{};
    ASSERT_EQ(::fstat(file.get(), &status), 0);
    std::string entry(static_cast<std::size_t>(status.st_size), '\0');
    ASSERT_EQ(::pread(file.get(), entry.data(), entry.size(), 0), status.st_size);
    EXPECT_TRUE(entry.starts_with("MESSAGE=long k=x"));
    EXPECT_TRUE(entry.ends_with("\nBERTH_K=" + value + "\n"));
}

TEST_F(JournaldTest, RefusesAPathThatIsNone) {
    JournaldOptions options;
    options.socket = std::string(200, 'a');
    const auto sink = make_journald_sink(options, clock_);
    ASSERT_FALSE(sink);
    EXPECT_EQ(sink.error().code, Errc::invalid);
}

TEST_F(JournaldTest, KnowsWhetherAnOpenFileLeadsToTheJournal) {
    struct stat status{};
    ASSERT_EQ(::fstat(journal_.get(), &status), 0);
    const auto device = std::to_string(status.st_dev), inode = std::to_string(status.st_ino);
    EXPECT_TRUE(leads_to_journal(journal_.get(), (device + ":" + inode).c_str()));
    EXPECT_FALSE(leads_to_journal(journal_.get(), (device + ":" + inode + "0").c_str()));
    EXPECT_FALSE(leads_to_journal(journal_.get(), ""));
    EXPECT_FALSE(leads_to_journal(journal_.get(), nullptr));
    EXPECT_FALSE(leads_to_journal(-1, (device + ":" + inode).c_str()));
}

}  // namespace
}  // namespace berth::logging
