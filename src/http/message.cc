#include "http/message.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "http/text.h"

namespace berth::http {

namespace {

// A body's memory beyond this is given back when the response is reused.
constexpr std::size_t kKeptBytesMax = 16 << 10;

void clear(std::string& text) {
    if (text.capacity() > kKeptBytesMax) text = std::string();
    text.clear();
}

}  // namespace

std::string_view Request::field(std::string_view name) const {
    for (const Field& field : fields) {
        if (equal_ignoring_case(field.name, name)) return field.value;
    }
    return {};
}

void Response::reset() {
    status = 200;
    close = false;
    clear(fields_);
    clear(text_);
    shared_ = {};
    owner_.reset();
    file_.reset();
    size_ = 0;
}

void Response::add(std::string_view name, std::string_view value) {
    fields_.append(name).append(": ");
    if (std::none_of(value.begin(), value.end(), is_control)) {
        fields_.append(value);
    } else {
        std::copy_if(value.begin(), value.end(), std::back_inserter(fields_),
                     [](char c) { return !is_control(c); });
    }
    fields_.append("\r\n");
}

void Response::add(std::string_view name, std::uint64_t value) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    add(name, std::string_view(digits, end));
}

std::string_view Response::field(std::string_view name) const {
    std::string_view rest = fields_;
    while (!rest.empty()) {
        const auto line = rest.substr(0, rest.find("\r\n"));
        const auto colon = line.find(": ");
        if (equal_ignoring_case(line.substr(0, colon), name)) return line.substr(colon + 2);
        rest.remove_prefix(line.size() + 2);
    }
    return {};
}

void Response::body_text(std::string text) {
    body_length(text.size());
    text_ = std::move(text);
}

void Response::body_shared(Bytes bytes, std::shared_ptr<const void> owner) {
    body_length(bytes.size());
    shared_ = bytes;
    owner_ = std::move(owner);
}

void Response::body_file(int fd, std::uint64_t offset, std::uint64_t size,
                         std::shared_ptr<const void> owner) {
    body_length(size);
    file_ = File{fd, offset};
    owner_ = std::move(owner);
}

void Response::body_length(std::uint64_t size) {
    clear(text_);
    shared_ = {};
    owner_.reset();
    file_.reset();
    size_ = size;
}

Bytes Response::bytes() const {
    return text_.empty() ? shared_ : as_bytes(text_);
}

std::string_view reason_phrase(int status) {
    switch (status) {
        case 100:
            return "Continue";
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 406:
            return "Not Acceptable";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 411:
            return "Length Required";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Content Too Large";
        case 415:
            return "Unsupported Media Type";
        case 416:
            return "Range Not Satisfiable";
        case 417:
            return "Expectation Failed";
        case 422:
            return "Unprocessable Content";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        case 507:
            return "Insufficient Storage";
        default:
            return "";
    }
}

}  // namespace berth::http
