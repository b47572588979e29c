#include "http/connection.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "http/text.h"

namespace berth::http {

namespace {

// One write takes so many answers at most.
constexpr std::size_t kAnswersMax = 16;
constexpr std::size_t kOutputBytesMax = 64 << 10;
// A longer body is sent from where it lies.
constexpr std::size_t kCopiedBytesMax = 8 << 10;
// Each slice of a long answer has body_timeout to leave.
constexpr std::size_t kSliceBytes = 64 << 10;

// So long a client may take to read its last answer.
constexpr std::chrono::seconds kCloseTime{5};
constexpr std::chrono::milliseconds kDrainingCloseTime{500};

SteadyTime now() {
    return std::chrono::steady_clock::now();
}

bool has_file(const Exchange& exchange) {
    return exchange.response.file() && exchange.response.size() > 0 &&
           sends_body(exchange.request, exchange.response);
}

}  // namespace

Connection::Connection(net::Stream& stream, Handler& handler, Pool& disk,
                       const ServerOptions& options, LoopState& state)
    : stream_(stream),
      handler_(handler),
      disk_(disk),
      options_(options),
      state_(state),
      body_(input_, stream, options.body_timeout) {
    stream_.loop().watch(*this);
}

Connection::~Connection() {
    stream_.loop().unwatch(*this);
}

void Connection::expire() {
    if (phase_ == Phase::head) {
        begin_exchange();
        refuse({408, "the request's head did not arrive in time"});
        if (!flush_now()) finish();
    }
    stream_.cut();
}

void Connection::drain() {
    if (phase_ == Phase::idle || phase_ == Phase::closing) stream_.cut();
}

Task<void> Connection::run() {
    deadline = now() + options_.header_timeout;
    if (stream_.peer().tls) {
        const bool secured = co_await secure();
        if (!secured) co_return;
    }
    for (;;) {
        Next next = answer_input();
        if (next == Next::serve) {
            // Nobody waits for the answer to a later request.
            if (!flush_now()) {
                const bool flushed = co_await flush_rest();
                if (!flushed) co_return;
            }
            next = co_await serve();
        }
        if (!flush_now()) {
            const bool flushed = co_await flush_rest();
            if (!flushed) co_return;
        }
        if (next != Next::close && !body_.complete()) {
            const bool drained = co_await body_.drain();
            if (!drained) next = Next::close;
        }
        if (next == Next::close) {
            co_await close();
            co_return;
        }
        if (next == Next::read) {
            const bool received = co_await receive();
            if (!received) co_return;
        }
    }
}

Task<bool> Connection::secure() {
    stream_.deadline = deadline;
    const auto secured = co_await stream_.handshake();
    stream_.deadline = SteadyTime::max();
    if (secured) co_return true;
    if (secured.error().code != Errc::invalid) co_return false;
    if (secured.error().detail == "plain HTTP") {
        begin_exchange();
        refuse({400, "this port speaks TLS: use https"});
        stream_.write_plain(output_);
        stream_.write_plain(as_text(tail_));
        sent_ = output_.size() + tail_.size();
        finish();
    } else if (options_.on_tls_failure) {
        options_.on_tls_failure(stream_.peer(), secured.error());
    }
    // What the peer was told arrives only if nothing it sent is left unread.
    co_await close();
    co_return false;
}

Task<bool> Connection::receive() {
    if (input_.empty()) {
        if (stream_.loop().draining()) co_return false;
        input_.shrink();
        if (phase_ == Phase::busy) deadline = now() + options_.idle_timeout;
        phase_ = Phase::idle;
    } else if (phase_ != Phase::head) {
        deadline = now() + options_.header_timeout;
        phase_ = Phase::head;
    }
    const auto got = co_await stream_.read_some(input_.space());
    if (!got || *got == 0) co_return false;
    input_.added(*got);
    co_return true;
}

Task<Connection::Next> Connection::serve() {
    bool failed = false;
    try {
        co_await handler_.serve(current_->request, body_, current_->response);
    } catch (...) {
        failed = true;
    }
    co_return failed ? refuse({500, "the server failed; it is not the request's fault"})
                     : answer(now());
}

Task<void> Connection::close() {
    phase_ = Phase::closing;
    const bool draining = stream_.loop().draining();
    stream_.deadline = now() + (draining ? kDrainingCloseTime : kCloseTime);
    co_await stream_.close_gracefully();
}

Connection::Next Connection::answer_input() {
    Next next = Next::answer;
    while (next == Next::answer)
        next = answer_next();
    return next;
}

Connection::Next Connection::answer_next() {
    // RFC 9112 §2.2: some clients end a body with a line too many.
    while (input_.text().starts_with("\r\n"))
        input_.consume(2);
    const auto text = input_.text();
    if (text.empty()) return Next::read;
    if (!is_token(text.front()) && text != "\r") {
        begin_exchange();
        return refuse({400, "this is not HTTP"});
    }
    const auto size = find_head_end(text, searched_);
    if ((size > 0 ? size : text.size()) > options_.header_bytes_max) {
        begin_exchange();
        return refuse({431, "the request's head is too long"});
    }
    if (size == 0) return Next::read;

    begin_exchange();
    Request& request = current_->request;
    const auto framing = parse_head(text.substr(0, size), request);
    input_.consume(size);
    if (!framing) return refuse(framing.error());
    framing_ = *framing;
    current_->received = size;
    body_.begin(request, framing_.expects_continue);
    if (request.has_body()) {
        current_->head = input_.detach();
        return Next::serve;
    }
    try {
        if (!handler_.try_serve(request, current_->response)) return Next::serve;
    } catch (...) {
        return refuse({500, "the server failed; it is not the request's fault"});
    }
    return answer(current_->began);
}

void Connection::begin_exchange() {
    phase_ = Phase::busy;
    deadline = SteadyTime::max();
    searched_ = 0;
    framing_ = Framing();
    if (output_.capacity() == 0) output_ = state_.take_output();
    current_ = state_.take_exchange();
    current_->request.peer = &stream_.peer();
    current_->began = now();
}

Connection::Next Connection::refuse(const Refusal& refusal) {
    Response& response = current_->response;
    response.reset();
    try {
        handler_.refuse(current_->request, refusal.status, refusal.reason, response);
    } catch (...) {
        response.reset();
        response.status = 500;
    }
    response.close = true;
    return answer(current_->began);
}

Persistence Connection::persistence_of(const Response& response) const {
    const bool ends = response.close || !framing_.keep_alive || stream_.loop().draining() ||
                      !(body_.complete() || body_.drainable());
    if (ends) return Persistence::close;
    return framing_.http10 ? Persistence::keep_http10 : Persistence::keep;
}

Connection::Next Connection::answer(SteadyTime now) {
    Exchange& exchange = *current_;
    const auto persistence = persistence_of(exchange.response);
    append_head(output_, exchange.request, exchange.response, state_.common_lines(now),
                persistence);
    if (sends_body(exchange.request, exchange.response)) {
        const Bytes body = exchange.response.bytes();
        if (body.size() <= kCopiedBytesMax) {
            output_ += as_text(body);
            exchange.body_copied = body.size();
        } else {
            tail_ = body;
        }
    }
    exchange.output_end = output_.size();
    exchange.received += body_.taken();
    const bool full = !tail_.empty() || has_file(exchange) || output_.size() >= kOutputBytesMax ||
                      answered_.size() + 1 == kAnswersMax || !body_.complete();
    answered_.push_back(std::move(current_));
    if (persistence == Persistence::close) return Next::close;
    return full ? Next::flush : Next::answer;
}

bool Connection::flush_now() {
    if (answered_.empty()) return true;
    if (has_file(*answered_.back())) return false;
    const std::array<Bytes, 2> pieces{as_bytes(output_), tail_};
    const auto taken = stream_.try_write(std::span(pieces).first(tail_.empty() ? 1 : 2));
    // An error shows itself again when the rest is written.
    sent_ = taken.value_or(0);
    if (sent_ < output_.size() + tail_.size()) return false;
    finish();
    return true;
}

Task<bool> Connection::flush_rest() {
    const bool file = has_file(*answered_.back());
    bool sent = true;
    while (sent && sent_ < output_.size() + tail_.size()) {
        const Bytes output = as_bytes(output_).subspan(std::min(output_.size(), sent_));
        const Bytes tail = tail_.subspan(std::max(sent_, output_.size()) - output_.size());
        const Bytes slices[] = {output, tail.first(std::min(tail.size(), kSliceBytes))};
        stream_.deadline = now() + options_.body_timeout;
        const auto written = co_await stream_.write(slices, file ? net::More::yes : net::More::no);
        sent = written.has_value();
        if (sent) sent_ += slices[0].size() + slices[1].size();
    }
    if (sent && file) sent = co_await send_file();
    stream_.deadline = SteadyTime::max();
    finish();
    co_return sent;
}

Task<bool> Connection::send_file() {
    const Response& response = answered_.back()->response;
    std::uint64_t paced = 0;
    const std::function<void(std::size_t)> moved = [this, &paced](std::size_t bytes) {
        sent_ += bytes;
        paced += bytes;
        if (paced < kPaceBytes) return;
        paced = 0;
        stream_.deadline = now() + options_.body_timeout;
    };
    stream_.deadline = now() + options_.body_timeout;
    const auto sent = co_await stream_.send_file(response.file()->fd, response.file()->offset,
                                                 response.size(), disk_, moved);
    co_return sent.has_value();
}

void Connection::finish() {
    const auto ended = now();
    for (auto& exchange : answered_) {
        // What of its body stands before output_end, and what behind the whole output.
        const std::uint64_t missing = exchange->output_end - std::min(exchange->output_end, sent_);
        std::uint64_t behind = 0;
        std::uint64_t behind_sent = 0;
        if (exchange == answered_.back()) {
            behind = tail_.size() + (has_file(*exchange) ? exchange->response.size() : 0);
            behind_sent = sent_ - std::min<std::uint64_t>(sent_, output_.size());
        }
        const Outcome outcome{
            exchange->body_copied - std::min(exchange->body_copied, missing) + behind_sent,
            exchange->received, ended - exchange->began, missing == 0 && behind_sent == behind};
        try {
            handler_.finished(exchange->request, exchange->response, outcome);
        } catch (...) {  // NOLINT(bugprone-empty-catch)
            // The answer is out; there is nobody to tell.
        }
        state_.give_back(std::move(exchange));
    }
    answered_.clear();
    state_.give_back(std::exchange(output_, std::string()));
    tail_ = {};
    sent_ = 0;
}

}  // namespace berth::http
