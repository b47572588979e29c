// Stream::send_file, plain and TLS: warm files, cold ones, and files cut short underneath.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "unit/net/net_support.h"

namespace berth::net {
namespace {

constexpr std::uint64_t kFileBytes = 5'000'000;

struct Part {
    std::uint64_t offset;
    std::uint64_t size;
};

struct Sent {
    std::string outcome;    // an error's code
    std::size_t bytes = 0;  // as they were told
};

// A head, a part of the file, and a tail.
Task<Sent> send_part(Loop& loop, UniqueFd socket, std::shared_ptr<const TlsContext> tls, int file,
                     Part part, Pool& disk) {
    Stream stream(loop, std::move(socket), {}, tls);
    if (tls) {
        auto shaken = co_await stream.handshake();
        if (!shaken) co_return Sent{shaken.error().detail};
    }
    const Bytes head[] = {as_bytes("<head>")};
    auto written = co_await stream.write(head, More::yes);
    if (!written) co_return Sent{written.error().detail};
    Sent sent;
    const std::function<void(std::size_t)> moved = [&sent](std::size_t size) {
        sent.bytes += size;
    };
    auto done = co_await stream.send_file(file, part.offset, part.size, disk, moved);
    if (!done) {
        sent.outcome = name_of(done.error().code);
        stream.cut();
        co_return sent;
    }
    const Bytes tail[] = {as_bytes("<tail>")};
    written = co_await stream.write(tail);
    if (!written) sent.outcome = name_of(written.error().code);
    co_await stream.close_gracefully();
    co_return sent;
}

class SendFileTest : public LoopTest, public testing::WithParamInterface<bool> {
  protected:
    SendFileTest() {
        std::ofstream(directory.file("blob"), std::ios::binary) << bytes;
        file = UniqueFd(::open(directory.file("blob").c_str(), O_RDWR | O_CLOEXEC));
        ::fsync(file.get());
    }

    void start(Part part) {
        sending = begin(loop(), send_part(loop(), std::move(pair.server),
                                          GetParam() ? certificate().context() : nullptr,
                                          file.get(), part, disk));
        if (!GetParam()) return;
        client.emplace(pair.client.get(), TLS1_3_VERSION);
        ASSERT_TRUE(client->handshake());
    }
    std::string receive(std::size_t size) {
        return client ? client->read_exactly(size) : read_exactly(pair.client.get(), size);
    }
    void expect_all(Part part) {
        start(part);
        const auto whole = "<head>" + bytes.substr(part.offset, part.size) + "<tail>";
        EXPECT_EQ(receive(whole.size() + 1), whole);
        pair.client.reset();
        const auto sent = sending.get();
        EXPECT_EQ(sent.outcome, "");
        EXPECT_EQ(sent.bytes, part.size);
    }

    static const Certificate& certificate() {
        static const Certificate made(KeyKind::ec);
        return made;
    }

    const std::string bytes = pattern(kFileBytes);
    TemporaryDirectory directory;
    Pool disk{{"disk", 2, 16}};
    UniqueFd file;
    SocketPair pair = tcp_pair();
    std::optional<TlsClient> client;
    std::future<Sent> sending;
};

TEST_P(SendFileTest, SendsAWholeFile) {
    expect_all({0, kFileBytes});
}

TEST_P(SendFileTest, SendsAnOddPart) {
    expect_all({4'099, 3'333'333});
}

TEST_P(SendFileTest, SendsASmallPart) {
    expect_all({kFileBytes - 1'000, 1'000});
}

TEST_P(SendFileTest, SendsNothingOfAFile) {
    expect_all({7, 0});
}

TEST_P(SendFileTest, SendsAFileThatIsNotInMemory) {
    ASSERT_EQ(::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
    expect_all({0, kFileBytes});
}

TEST_P(SendFileTest, FailsWhereTheFileIsTooShort) {
    start({kFileBytes - 100'000, 200'000});
    const auto got = receive(300'000);
    EXPECT_EQ(sending.get().outcome, "io");
    EXPECT_LE(got.size(), 100'006U);
}

TEST_P(SendFileTest, FailsWhenTheFileIsTruncatedUnderneath) {
    // More than the sockets hold, so that the end is not sent yet when it goes.
    constexpr std::uint64_t kHuge = 64 << 20;
    ASSERT_EQ(::ftruncate(file.get(), kHuge), 0);
    start({0, kHuge});
    EXPECT_EQ(receive(1'000'006), "<head>" + bytes.substr(0, 1'000'000));
    ASSERT_EQ(::ftruncate(file.get(), kFileBytes), 0);
    while (!receive(100'000).empty()) {
    }
    EXPECT_EQ(sending.get().outcome, "io");
}

TEST_P(SendFileTest, EndsWithThePeer) {
    start({0, kFileBytes});
    if (client) client.reset();
    pair.client.reset();
    EXPECT_EQ(sending.get().outcome, "cancelled");
}

// The head of an empty body leaves too, though it was written as if more would follow.
Task<std::string> send_empty(Loop& loop, SocketPair pair, Pool& disk) {
    Stream stream(loop, std::move(pair.server), {}, nullptr);
    const Bytes head[] = {as_bytes("<head>")};
    auto written = co_await stream.write(head, More::yes);
    if (!written) co_return written.error().detail;
    auto sent = co_await stream.send_file(-1, 0, 0, disk, {});
    if (!sent) co_return sent.error().detail;
    co_return read_exactly(pair.client.get(), 6);
}

using SendEmptyFileTest = LoopTest;

TEST_F(SendEmptyFileTest, SendsTheHead) {
    Pool disk{{"disk", 1, 1}};
    EXPECT_EQ(begin(loop(), send_empty(loop(), unix_pair(), disk)).get(), "<head>");
}

INSTANTIATE_TEST_SUITE_P(Transports, SendFileTest, testing::Values(false, true),
                         [](const auto& param) { return param.param ? "Tls" : "Plain"; });

}  // namespace
}  // namespace berth::net
