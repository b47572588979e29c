// Task<T>: the one asynchronous type of Berth's interfaces, a coroutine on an event loop.
//
// Rules (see docs/design/0001-coroutines.md): coroutines are named functions, never capturing
// lambdas; their parameters are values or owned by the awaiting parent; no lock, transaction or
// iterator lives across a co_await; the result of a co_await is stored in a variable before it is
// used.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/pool.h"
#include "base/result.h"

namespace berth {

using LoopExecutor = boost::asio::io_context::executor_type;

template <class T = void>
using Task = boost::asio::awaitable<T, LoopExecutor>;

// The completion token that makes an Asio operation a Task.
inline constexpr boost::asio::use_awaitable_t<LoopExecutor> use_task{};

// Runs `work` (a callable that returns Result<T> and may block) on the pool and resumes on the
// caller's loop with what it returned, or Errc::unavailable when the pool is full. The awaiting
// coroutine waits until the work has ended, so references to what it owns stay valid. Work that
// throws rethrows here.
template <class Work>
auto run_on(Pool& pool, Work work) -> Task<std::invoke_result_t<Work&>> {
    using Outcome = std::invoke_result_t<Work&>;
    struct State {
        Work work;
        std::optional<Outcome> outcome;
        std::exception_ptr thrown;
    };
    State state{std::move(work), std::nullopt, nullptr};
    const auto executor = co_await boost::asio::this_coro::executor;
    auto initiate = [&pool, &state, &executor](auto handler) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        const bool accepted = pool.submit([&state, shared, executor] {
            try {
                state.outcome.emplace(state.work());
            } catch (...) {
                state.thrown = std::current_exception();
            }
            boost::asio::post(executor, [shared] { std::move (*shared)(); });
        });
        if (!accepted) boost::asio::post(executor, [shared] { std::move (*shared)(); });
    };
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<LoopExecutor>, void()>(
        initiate, use_task);
    if (state.thrown) std::rethrow_exception(state.thrown);
    if (!state.outcome) co_return fail(Errc::unavailable, "the server is busy; try again");
    co_return std::move(*state.outcome);
}

}  // namespace berth
