// Stream over plain sockets: reading, writing against slow peers, ends of all kinds.
#include "net/stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "unit/net/net_support.h"

namespace berth::net {
namespace {

using StreamTest = LoopTest;

Task<std::string> read_all(Loop& loop, UniqueFd fd) {
    Stream stream(loop, std::move(fd), {}, nullptr);
    std::string all;
    for (;;) {
        std::array<std::byte, 100> buffer;
        auto read = co_await stream.read_some(buffer);
        if (!read) co_return all + "!" + std::string(name_of(read.error().code));
        if (*read == 0) co_return all;
        all += as_text(Bytes(buffer).first(*read));
    }
}

Task<Result<void>> write_pieces(Loop& loop, UniqueFd fd, std::vector<std::string> texts) {
    Stream stream(loop, std::move(fd), {}, nullptr);
    std::vector<Bytes> pieces;
    for (const auto& text : texts)
        pieces.push_back(as_bytes(text));
    auto written = co_await stream.write(pieces);
    co_return written;
}

TEST_F(StreamTest, ReadsToThePeersEnd) {
    auto pair = tcp_pair();
    auto all = begin(loop(), read_all(loop(), std::move(pair.server)));
    const std::string sent = pattern(100'000);
    EXPECT_TRUE(send_all(pair.client.get(), sent));
    pair.client.reset();
    EXPECT_EQ(all.get(), sent);
}

TEST_F(StreamTest, SaysThatAResetPeerIsGone) {
    auto pair = tcp_pair();
    const linger reset{1, 0};
    ::setsockopt(pair.client.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    auto all = begin(loop(), read_all(loop(), std::move(pair.server)));
    pair.client.reset();
    EXPECT_EQ(all.get(), "!cancelled");
}

TEST_F(StreamTest, WritesAllPiecesToASlowPeer) {
    auto pair = tcp_pair();
    const int small = 4096;
    ::setsockopt(pair.server.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    std::vector<std::string> texts{"head", "", pattern(300'000), "tail"};
    for (int i = 0; i < 200; ++i)
        texts.push_back(std::to_string(i));
    std::string whole;
    for (const auto& text : texts)
        whole += text;
    auto written = begin(loop(), write_pieces(loop(), std::move(pair.server), std::move(texts)));
    EXPECT_EQ(read_to_end(pair.client.get()), whole);
    EXPECT_TRUE(written.get());
}

TEST_F(StreamTest, SaysThatThePeerOfAWriteIsGone) {
    auto pair = unix_pair();
    pair.client.reset();
    auto written = begin(loop(), write_pieces(loop(), std::move(pair.server), {"lost"}));
    auto result = written.get();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::cancelled);
}

Task<std::string> write_in_two(Loop& loop, UniqueFd fd, std::string head, std::string body) {
    Stream stream(loop, std::move(fd), {}, nullptr);
    const Bytes first[] = {as_bytes(head)};
    auto written = co_await stream.write(first, More::yes);
    if (!written) co_return written.error().detail;
    const Bytes second[] = {as_bytes(body)};
    written = co_await stream.write(second);
    co_return written ? "" : written.error().detail;
}

TEST_F(StreamTest, KeepsTheOrderOfAHeadAndItsBody) {
    for (const std::size_t head_bytes : {10, 16 << 10, 100'000}) {
        auto pair = tcp_pair();
        const auto head = pattern(head_bytes);
        const auto body = pattern(50'000);
        auto written = begin(loop(), write_in_two(loop(), std::move(pair.server), head, body));
        EXPECT_EQ(read_to_end(pair.client.get()), head + body);
        EXPECT_EQ(written.get(), "");
    }
}

// Without waiting: nothing there, then something, then a socket filled to the brim.
Task<std::string> try_everything(Loop& loop, UniqueFd fd, int client) {
    Stream stream(loop, std::move(fd), {}, nullptr);
    std::array<std::byte, 16> buffer;
    const auto none = stream.try_read(buffer);
    if (none || none.error().code != Errc::unavailable) co_return "read out of nothing";
    send_all(client, "abc");
    const auto some = stream.try_read(buffer);
    if (!some || as_text(Bytes(buffer).first(*some)) != "abc") co_return "did not read";
    const std::string big = pattern(10'000'000);
    const Bytes pieces[] = {as_bytes(big)};
    const auto taken = stream.try_write(pieces);
    if (!taken || *taken == 0 || *taken == big.size()) co_return "did not fill the socket";
    const auto more = stream.try_write(pieces);
    if (!more || *more != 0) co_return "filled a full socket";
    co_return read_exactly(client, *taken) == big.substr(0, *taken) ? "" : "wrote other bytes";
}

TEST_F(StreamTest, TriesWithoutWaiting) {
    auto pair = unix_pair();
    auto tried = begin(loop(), try_everything(loop(), std::move(pair.server), pair.client.get()));
    EXPECT_EQ(tried.get(), "");
}

Task<void> write_much(Stream& stream, std::string& outcome) {
    const std::string big = pattern(30'000'000);
    const Bytes pieces[] = {as_bytes(big)};
    auto written = co_await stream.write(pieces);
    outcome += written ? "written " : std::string(name_of(written.error().code)) + " ";
}

Task<std::string> cut_while_busy(Loop& loop, UniqueFd fd) {
    Stream stream(loop, std::move(fd), {}, nullptr);
    std::string outcome;
    loop.spawn(write_much(stream, outcome));
    boost::asio::post(loop.context(), [&stream] { stream.cut(); });
    std::array<std::byte, 16> buffer;
    auto read = co_await stream.read_some(buffer);
    while (outcome.empty())
        co_await boost::asio::post(loop.executor(), use_task);
    auto again = co_await stream.read_some(buffer);
    const auto tried = stream.try_write({});
    co_return outcome + std::string(name_of(read.error().code)) + " " +
        std::string(name_of(again.error().code)) + " " + std::string(name_of(tried.error().code));
}

TEST_F(StreamTest, EndsWhatIsUnderWayWhenItIsCut) {
    auto pair = unix_pair();
    auto outcome = begin(loop(), cut_while_busy(loop(), std::move(pair.server)));
    EXPECT_EQ(outcome.get(), "cancelled cancelled cancelled cancelled");
}

Task<std::string> answer_and_close(Loop& loop, UniqueFd fd) {
    Stream stream(loop, std::move(fd), {}, nullptr);
    const Bytes answer[] = {as_bytes("no thanks")};
    auto written = co_await stream.write(answer);
    co_await stream.close_gracefully();
    co_return written ? "" : written.error().detail;
}

TEST_F(StreamTest, LetsAPeerThatStillSendsReadTheAnswer) {
    auto pair = tcp_pair();
    auto closed = begin(loop(), answer_and_close(loop(), std::move(pair.server)));
    EXPECT_TRUE(send_all(pair.client.get(), pattern(5'000'000)));
    EXPECT_EQ(read_to_end(pair.client.get()), "no thanks");
    pair.client.reset();
    EXPECT_EQ(closed.get(), "");
}

Task<std::string> keeps_its_lease(Loop& loop, UniqueFd fd) {
    auto lease = std::make_shared<int>(1);
    const std::weak_ptr<int> watch = lease;
    {
        const Stream stream(loop, std::move(fd), {"192.0.2.1", 7, false}, nullptr,
                            std::move(lease));
        if (watch.expired() || stream.peer().port != 7) co_return "lost";
    }
    co_return watch.expired() ? "" : "kept";
}

TEST_F(StreamTest, GivesItsLeaseBackAtItsEnd) {
    auto pair = unix_pair();
    EXPECT_EQ(begin(loop(), keeps_its_lease(loop(), std::move(pair.server))).get(), "");
}

}  // namespace
}  // namespace berth::net
