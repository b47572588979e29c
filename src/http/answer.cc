#include "http/answer.h"

#include <charconv>

namespace berth::http {

namespace {

void append_number(std::string& out, std::uint64_t number) {
    char digits[20];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void append_status_line(std::string& out, int status) {
    if (status == 200) {
        out += "HTTP/1.1 200 OK\r\n";
        return;
    }
    out += "HTTP/1.1 ";
    append_number(out, static_cast<std::uint64_t>(status));
    out += ' ';
    out += reason_phrase(status);
    out += "\r\n";
}

// RFC 9110 §8.6 forbids it for 204, and allows to leave it out for 304.
bool has_length(int status) {
    return status != 204 && status != 304;
}

}  // namespace

bool sends_body(const Request& request, const Response& response) {
    return request.method != Method::head && has_length(response.status);
}

void append_head(std::string& out, const Request& request, const Response& response,
                 std::string_view common, Persistence persistence) {
    append_status_line(out, response.status);
    out += response.fields();
    out += common;
    if (has_length(response.status)) {
        // Only an answer to HEAD has a length without the bytes.
        const bool whole = response.file() || request.method == Method::head;
        out += "Content-Length: ";
        append_number(out, whole ? response.size() : response.bytes().size());
        out += "\r\n";
    }
    if (persistence == Persistence::close) out += "Connection: close\r\n";
    if (persistence == Persistence::keep_http10) out += "Connection: keep-alive\r\n";
    out += "\r\n";
}

}  // namespace berth::http
