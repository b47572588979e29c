// Handler: what a server of HTTP is for. The server owns connections, framing and time; the handler
// owns meaning. One handler serves all loops: it is thread-safe, and the calls for one exchange
// come from one loop.
#pragma once

#include <chrono>

#include "http/body.h"
#include "http/message.h"

namespace berth::http {

// What became of an exchange, for the logs.
struct Outcome {
    std::uint64_t body_bytes = 0;          // of the answer's body that were sent
    std::uint64_t request_bytes = 0;       // of the request, head and body, before it was answered
    std::chrono::nanoseconds duration{0};  // from the request's head to the answer's last byte
    bool complete = true;                  // false: the peer went away before the end
};

class Handler {
  public:
    virtual ~Handler() = default;

    // The hot path: answers from memory, without waiting, without a coroutine. False: `response` is
    // untouched (or reset) and serve() is asked. Called for requests without a body only.
    virtual bool try_serve(const Request& request, Response& response) = 0;
    // Everything else. References are valid until it returns. A body that was not read is dropped
    // by the server, or the connection ends. An exception: 500 by refuse(), and the connection
    // ends.
    virtual Task<void> serve(const Request& request, Body& body, Response& response) = 0;
    // The answer to what is not a proper request (400, 408, 413, 417, 431, 501, 503, 505), and to
    // what broke (500). `reason` is a sentence for the client. `request` has what was understood.
    virtual void refuse(const Request& request, int status, std::string_view reason,
                        Response& response) = 0;
    // After the answer left, or failed to.
    virtual void finished(const Request& request, const Response& response,
                          const Outcome& outcome) = 0;
};

}  // namespace berth::http
