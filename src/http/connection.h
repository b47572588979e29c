// Connection: one client's connection, from its first byte to its end.
//
// One coroutine: it reads, answers all whole requests of its input into one output, writes that,
// and reads again. Requests that Handler::try_serve() answers cost no coroutine of their own. The
// exchanges whose answers wait in the output, and their requests' views into the input, stay until
// the output left: the input is not touched before.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/pool.h"
#include "http/answer.h"
#include "http/handler.h"
#include "http/head.h"
#include "http/loop_state.h"
#include "http/request_body.h"
#include "http/server.h"

namespace berth::http {

class Connection final : public net::Watched {
  public:
    // All outlive it.
    Connection(net::Stream& stream, Handler& handler, Pool& disk, const ServerOptions& options,
               LoopState& state);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Returns when the connection has ended.
    Task<void> run();

  private:
    // What the connection does next.
    enum class Next {
        answer,  // what else is in the input
        read,    // more of a request
        flush,   // sends what was answered, then goes on
        serve,   // asks Handler::serve() for current_'s answer
        close,
    };
    // What a deadline, or the server's end, finds it doing.
    enum class Phase { idle, head, busy, closing };

    // Of the head and between requests; what the stream does has the stream's deadline.
    void expire() override;
    void drain() override;

    Task<bool> secure();
    Task<bool> receive();
    Task<Next> serve();
    Task<void> close();

    // Answers what is whole in the input, as far as that needs no waiting.
    Next answer_input();
    Next answer_next();
    void begin_exchange();
    Next refuse(const Refusal& refusal);
    // Puts current_'s answer into the output.
    Next answer(SteadyTime now);
    Persistence persistence_of(const Response& response) const;

    // Sends all answers if the stream takes them without waiting.
    bool flush_now();
    Task<bool> flush_rest();
    Task<bool> send_file();
    // Tells the handler what became of the answers.
    void finish();

    net::Stream& stream_;
    Handler& handler_;
    Pool& disk_;
    const ServerOptions& options_;
    LoopState& state_;

    Phase phase_ = Phase::idle;
    Input input_;
    std::size_t searched_ = 0;  // of the input, for the end of a head
    std::unique_ptr<Exchange> current_;
    Framing framing_;  // of current_
    RequestBody body_;

    std::vector<std::unique_ptr<Exchange>> answered_;
    std::string output_;      // their answers
    Bytes tail_;              // the last one's body, where it was too long to be copied
    std::uint64_t sent_ = 0;  // bytes of the output, the tail, and the last one's file
};

}  // namespace berth::http
