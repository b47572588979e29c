#include "http/sample_handler.h"

#include <chrono>
#include <stdexcept>

namespace berth {

const std::string SampleHandler::large_body = [] {
    std::string text;
    for (int i = 0; text.size() < (3 << 20); ++i)
        text += std::to_string(i) + '\n';
    return text;
}();

namespace {

std::string describe(const http::Request& request) {
    std::string text;
    text.append("method ").append(request.method_text);
    text.append("\ntarget ").append(request.target);
    text.append("\npath ").append(request.path);
    text.append("\nquery ").append(request.query);
    text.append("\nhost ").append(request.host);
    text.append("\nversion ").append(request.version);
    for (const auto& field : request.fields)
        text.append("\n").append(field.name).append("=").append(field.value);
    return text + "\n";
}

Task<void> echo(http::Body& body, http::Response& response) {
    std::string text;
    // An odd size, so that pieces never fit.
    std::string piece(4097, '\0');
    for (;;) {
        const auto got = co_await body.read(std::as_writable_bytes(std::span(piece)));
        if (!got) {
            response.status = 400;
            text += std::string("\n").append(name_of(got.error().code));
            break;
        }
        text.append(piece, 0, *got);
        if (*got < piece.size()) {
            const auto end = co_await body.read(std::as_writable_bytes(std::span(piece)));
            if (end && *end == 0) break;
        }
    }
    response.body_text(std::move(text));
}

}  // namespace

bool SampleHandler::try_serve(const http::Request& request, http::Response& response) {
    const auto path = request.path;
    if (path == "/throw-now") throw std::runtime_error("the handler failed");
    if (path == "/") {
        response.body_text("hello\n");
    } else if (path == "/request" || path == "*") {
        response.body_text(describe(request));
    } else if (path == "/large") {
        response.body_shared(as_bytes(large_body), nullptr);
    } else if (path == "/length") {
        response.body_length(123456);
    } else if (path == "/close") {
        response.close = true;
        response.body_text("bye\n");
    } else if (path.starts_with("/status/")) {
        response.status = std::stoi(std::string(path.substr(8)));
        response.body_text("text\n");
    } else if (path == "/file" && file >= 0) {
        response.body_file(file, 0, file_size, nullptr);
    } else {
        return false;
    }
    response.add("X-Sample", "1");
    return true;
}

Task<void> SampleHandler::serve(const http::Request& request, http::Body& body,
                                http::Response& response) {
    if (request.path == "/throw") throw std::runtime_error("the handler failed");
    if (request.path == "/echo" || request.path == "/short") {
        if (request.path == "/short") body.limit(4);
        co_await echo(body, response);
    } else if (request.path == "/ignore") {
        response.status = 401;
        response.body_text("who are you?\n");
    } else if (request.path == "/coroutine") {
        response.body_text("served\n");
    } else {
        response.status = 404;
    }
}

void SampleHandler::refuse(const http::Request&, int status, std::string_view reason,
                           http::Response& response) {
    response.status = status;
    response.body_text(std::string(reason) + "\n");
}

void SampleHandler::finished(const http::Request& request, const http::Response& response,
                             const http::Outcome& outcome) {
    std::lock_guard lock(mutex_);
    records_.push_back({std::string(request.target), request.id, response.status,
                        outcome.body_bytes, outcome.complete});
    recorded_.notify_all();
}

std::vector<SampleHandler::Record> SampleHandler::records() const {
    std::lock_guard lock(mutex_);
    return records_;
}

void SampleHandler::wait_for_records(std::size_t count) const {
    std::unique_lock lock(mutex_);
    if (!recorded_.wait_for(lock, std::chrono::seconds(30),
                            [&] { return records_.size() >= count; })) {
        throw std::runtime_error("fewer exchanges finished than expected");
    }
}

}  // namespace berth
