// SampleHandler: a small handler whose paths show each way of answering.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "http/handler.h"

namespace berth {

class SampleHandler final : public http::Handler {
  public:
    // What the answer to a path is:
    // /            the hot path: "hello\n"
    // /request     the hot path: what the server understood
    // /large       the hot path: large_body
    // /length      the hot path: only the length of a body
    // /throw-now   the hot path throws
    // /throw       serve() throws
    // /coroutine   serve(): "served\n"
    // /echo        the body, or the name of the error that ended it
    // /short       as /echo, after limit(4)
    // /ignore      401 without reading the body
    // /status/N    that status, with a text body
    // /file        the file `file`, if there is one
    // /close       an answer that ends the connection
    static const std::string large_body;
    int file = -1;
    std::uint64_t file_size = 0;

    bool try_serve(const http::Request& request, http::Response& response) override;
    Task<void> serve(const http::Request& request, http::Body& body,
                     http::Response& response) override;
    void refuse(const http::Request& request, int status, std::string_view reason,
                http::Response& response) override;
    void finished(const http::Request& request, const http::Response& response,
                  const http::Outcome& outcome) override;

    struct Record {
        std::string target;
        std::string id;
        int status = 0;
        std::uint64_t body_bytes = 0;
        bool complete = false;
    };
    std::vector<Record> records() const;
    // Blocks until that many exchanges have finished.
    void wait_for_records(std::size_t count) const;

  private:
    mutable std::mutex mutex_;
    mutable std::condition_variable recorded_;
    std::vector<Record> records_;
};

}  // namespace berth
