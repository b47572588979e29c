// LoopState: what the connections of one loop share, so that a request costs no allocation, no
// random number of the kernel's and no formatting of a date. Used on its loop's thread only.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/input.h"
#include "http/message.h"

namespace berth::http {

// One request and its answer, on the way from the head to the handler's finished().
struct Exchange {
    Request request;
    Response response;
    Input::Block head;              // keeps the request's views while its body is read
    SteadyTime began;               // when the head was complete
    std::size_t output_end = 0;     // where its answer ends in the connection's output
    std::uint64_t body_copied = 0;  // bytes of its body that stand in the output
    std::uint64_t received = 0;     // bytes of the request
};

class LoopState {
  public:
    // `fields`: the lines that stand on every answer.
    explicit LoopState(const std::string& fields) : fields_(fields) {}

    // The fields of every answer, and its Date.
    std::string_view common_lines(SteadyTime now);

    // An exchange with an id and nothing else.
    std::unique_ptr<Exchange> take_exchange();
    void give_back(std::unique_ptr<Exchange> exchange);
    // An empty buffer for answers.
    std::string take_output();
    void give_back(std::string output);

  private:
    void write_id(std::string& id);

    const std::string& fields_;
    std::string common_;
    SteadyTime common_until_{};
    std::array<std::byte, 1024> random_;
    std::size_t random_used_ = sizeof(random_);
    std::vector<std::unique_ptr<Exchange>> exchanges_;
    std::vector<std::string> outputs_;
};

}  // namespace berth::http
