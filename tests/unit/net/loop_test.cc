// Loops: deadlines, and an end that always comes.
#include "net/loop.h"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>

#include "unit/net/net_support.h"

namespace berth::net {
namespace {

std::string text_of(const Result<std::size_t>& read) {
    return read ? std::to_string(*read) : std::string(name_of(read.error().code));
}

// Reads once, by `deadline`.
Task<std::string> read_once(Loop& loop, UniqueFd fd, SteadyTime deadline) {
    Stream stream(loop, std::move(fd), {}, nullptr);
    stream.deadline = deadline;
    std::array<std::byte, 16> buffer;
    auto read = co_await stream.read_some(buffer);
    co_return text_of(read);
}

// Reads to the end; when the server drains, an idle stream is cut.
Task<std::string> read_until_drained(Loop& loop, UniqueFd fd, std::promise<void>& begun) {
    Stream stream(loop, std::move(fd), {}, nullptr);
    stream.on_drain = [&stream] { stream.cut(); };
    begun.set_value();
    std::array<std::byte, 16> buffer;
    auto read = co_await stream.read_some(buffer);
    co_return text_of(read);
}

// Goes on reading, whatever the server wants.
Task<std::string> read_stubbornly(Loop& loop, UniqueFd fd, std::promise<void>& begun) {
    Stream stream(loop, std::move(fd), {}, nullptr);
    begun.set_value();
    std::string all;
    for (;;) {
        std::array<std::byte, 16> buffer;
        auto read = co_await stream.read_some(buffer);
        if (!read || *read == 0) co_return all + text_of(read);
        all += as_text(Bytes(buffer).first(*read));
    }
}

using LoopsTest = LoopTest;

TEST_F(LoopsTest, GivesThemOutInTurn) {
    Loops three(3);
    Loop& first = three.next();
    Loop& second = three.next();
    EXPECT_NE(&first, &second);
    three.next();
    EXPECT_EQ(&first, &three.next());
    EXPECT_EQ(three.count(), 3U);
}

TEST_F(LoopsTest, CutsOffAStreamWhoseDeadlinePassed) {
    auto pair = unix_pair();
    auto read =
        begin(loop(), read_once(loop(), std::move(pair.server), std::chrono::steady_clock::now()));
    EXPECT_EQ(read.get(), "cancelled");
    EXPECT_EQ(read_to_end(pair.client.get()), "");
}

TEST_F(LoopsTest, LeavesAStreamAloneUntilItsDeadline) {
    auto pair = unix_pair();
    auto read = begin(loop(), read_once(loop(), std::move(pair.server), SteadyTime::max()));
    ASSERT_TRUE(send_all(pair.client.get(), "abc"));
    EXPECT_EQ(read.get(), "3");
}

TEST_F(LoopsTest, EndIdleStreamsAtOnceWhenTheyStop) {
    auto pair = unix_pair();
    std::promise<void> begun;
    auto read = begin(loop(), read_until_drained(loop(), std::move(pair.server), begun));
    begun.get_future().get();
    loops.stop(std::chrono::hours(1));
    EXPECT_EQ(read.get(), "cancelled");
}

TEST_F(LoopsTest, WaitForAStreamThatStillWorks) {
    auto pair = unix_pair();
    std::promise<void> begun;
    auto read = begin(loop(), read_stubbornly(loop(), std::move(pair.server), begun));
    begun.get_future().get();
    std::thread stopper([this] { loops.stop(std::chrono::hours(1)); });
    EXPECT_TRUE(send_all(pair.client.get(), "work"));
    pair.client.reset();
    stopper.join();
    EXPECT_EQ(read.get(), "work0");
}

TEST_F(LoopsTest, CutOffWhatStillWorksAfterTheirPatience) {
    auto pair = unix_pair();
    std::promise<void> begun;
    auto read = begin(loop(), read_stubbornly(loop(), std::move(pair.server), begun));
    begun.get_future().get();
    loops.stop(std::chrono::milliseconds(1));
    EXPECT_EQ(read.get(), "cancelled");
}

TEST_F(LoopsTest, AnswerUnlessOneIsStuck) {
    Loops two(2);
    two.start();
    EXPECT_TRUE(two.answer(std::chrono::hours(1)));
    std::promise<void> stuck, go_on;
    boost::asio::post(two.first().context(), [&stuck, &go_on] {
        stuck.set_value();
        go_on.get_future().get();
    });
    stuck.get_future().get();
    EXPECT_FALSE(two.answer(std::chrono::milliseconds(1)));
    go_on.set_value();
    EXPECT_TRUE(two.answer(std::chrono::hours(1)));
}

TEST_F(LoopsTest, StopWhenNothingEverRan) {
    loops.stop(std::chrono::hours(1));
    Loops(2).stop(std::chrono::hours(1));
}

}  // namespace
}  // namespace berth::net
