#include "http/head.h"

#include <bit>
#include <charconv>
#include <cstring>

#include "base/text.h"
#include "http/text.h"

namespace berth::http {

namespace {

constexpr std::size_t kFieldsMax = 128;

std::unexpected<Refusal> refuse(int status, std::string_view reason) {
    return std::unexpected(Refusal{status, reason});
}

Method method_of(std::string_view text) {
    if (text == "GET") return Method::get;
    if (text == "HEAD") return Method::head;
    if (text == "PUT") return Method::put;
    if (text == "POST") return Method::post;
    if (text == "PATCH") return Method::patch;
    if (text == "DELETE") return Method::remove;
    if (text == "OPTIONS") return Method::options;
    return Method::other;
}

// Does a byte of `word` lie below 0x20 or is it 0x7f? (No false answer: the carries of the
// subtraction only reach bytes above one that is such a byte already.)
bool has_control(std::uint64_t word) {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    constexpr std::uint64_t kHighs = kOnes * 0x80;
    const std::uint64_t del = word ^ (kOnes * 0x7f);
    return ((((word - kOnes * 0x20) & ~word) | ((del - kOnes) & ~del)) & kHighs) != 0;
}

bool is_field_value(std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    for (; end - at >= 8; at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, sizeof word);
        if (has_control(word)) break;
    }
    return std::all_of(at, end, [](char c) { return !is_control(c) || c == '\t'; });
}

bool is_method(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token);
}

bool is_target(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(),
                                        [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
}

// uri-host [ ":" port ], by its characters (RFC 3986 §3.2); userinfo has no business here.
bool is_host(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return is_token(c) ? c != '^' && c != '`' && c != '|' && c != '#'
                           : std::string_view("()[]:,;=").find(c) != std::string_view::npos;
    });
}

class Parser {
  public:
    Parser(std::string_view head, Request& request) : rest_(head), request_(request) {}

    std::expected<Framing, Refusal> run() {
        std::string_view line;
        if (!take_line(line)) return refuse(400, kBadLineEnd);
        if (auto taken = take_request_line(line); !taken) return std::unexpected(taken.error());
        for (;;) {
            if (!take_line(line)) return refuse(400, kBadLineEnd);
            if (line.empty()) return conclude();
            if (auto taken = take_field(line); !taken) return std::unexpected(taken.error());
        }
    }

  private:
    using Taken = std::expected<void, Refusal>;
    static constexpr std::string_view kBadLineEnd = "a line of the head does not end with CRLF";

    // False: the line ends without CR. There is one, since the head ends with an empty line.
    bool take_line(std::string_view& line) {
        const auto end = rest_.find('\n');
        line = rest_.substr(0, end);
        if (end == std::string_view::npos || !line.ends_with('\r')) return false;
        line.remove_suffix(1);
        rest_.remove_prefix(end + 1);
        return true;
    }

    Taken take_request_line(std::string_view line) {
        const auto space = line.find(' ');
        const auto method = line.substr(0, space);
        if (space == std::string_view::npos || !is_method(method)) {
            return refuse(400, "the request does not begin with a method");
        }
        request_.method_text = method;
        request_.method = method_of(method);
        line.remove_prefix(space + 1);
        const auto second = line.find(' ');
        if (second == std::string_view::npos) return refuse(400, "the request names no version");
        const auto target = line.substr(0, second);
        const auto version = line.substr(second + 1);
        if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) ||
            version[6] != '.' || !is_digit(version[7])) {
            return refuse(400, "the request's version is malformed");
        }
        request_.version = version;
        if (version[5] != '1') return refuse(505, "this server speaks HTTP/1.1 and HTTP/1.0");
        framing_.http10 = version[7] == '0';
        if (!is_target(target)) {
            return refuse(400, "the request's target has a character that must be escaped");
        }
        request_.target = target;
        return take_target();
    }

    Taken take_target() {
        std::string_view target = request_.target;
        if (request_.method_text == "CONNECT") return refuse(501, "this server is no proxy");
        if (target == "*" && request_.method == Method::options) {
            request_.path = target;
            return {};
        }
        if (!target.starts_with('/')) {
            const auto scheme_end = std::min(target.find("://"), target.size());
            const auto scheme = target.substr(0, scheme_end);
            if (scheme_end == target.size() ||
                !(equal_ignoring_case(scheme, "http") || equal_ignoring_case(scheme, "https"))) {
                return refuse(400, "the request's target is neither a path nor a URL");
            }
            target.remove_prefix(scheme_end + 3);
            authority_ = target.substr(0, target.find_first_of("/?"));
            if (authority_.empty() || !is_host(authority_)) {
                return refuse(400, "the request's target names no valid host");
            }
            target.remove_prefix(authority_.size());
        }
        const auto mark = target.find('?');
        request_.path = target.substr(0, mark);
        if (request_.path.empty()) request_.path = "/";
        if (mark != std::string_view::npos) request_.query = target.substr(mark + 1);
        return {};
    }

    Taken take_field(std::string_view line) {
        if (is_blank(line.front())) return refuse(400, "a field is folded over two lines");
        std::size_t length = 0;
        while (length < line.size() && is_token(line[length]))
            ++length;
        if (length == 0 || length == line.size() || line[length] != ':') {
            return refuse(400, "a field's name is malformed");
        }
        const Field field{line.substr(0, length), trim(line.substr(length + 1))};
        if (!is_field_value(field.value)) return refuse(400, "a field has a control character");
        if (request_.fields.size() == kFieldsMax) return refuse(431, "there are too many fields");
        request_.fields.push_back(field);
        return note(field);
    }

    // The fields that concern the connection.
    Taken note(const Field& field) {
        const auto is = [&field](std::string_view name) {
            return equal_ignoring_case(field.name, name);
        };
        switch (field.name.size()) {
            case 4:
                return is("host") ? note_host(field.value) : Taken();
            case 6:
                return is("expect") ? note_expect(field.value) : Taken();
            case 10:
                if (is("connection")) note_connection(field.value);
                return {};
            case 13:
                return is("authorization") ? note_authorization() : Taken();
            case 14:
                return is("content-length") ? note_length(field.value) : Taken();
            case 17:
                return is("transfer-encoding") ? note_coding(field.value) : Taken();
            default:
                return {};
        }
    }

    Taken note_host(std::string_view value) {
        if (has_host_) return refuse(400, "there are two Host fields");
        if (!is_host(value)) return refuse(400, "the Host field is malformed");
        has_host_ = true;
        request_.host = value;
        return {};
    }

    // A proxy in front may have looked at the other one.
    Taken note_authorization() {
        if (has_authorization_) return refuse(400, "there are two Authorization fields");
        has_authorization_ = true;
        return {};
    }

    Taken note_expect(std::string_view value) {
        // RFC 9110 §10.1.1: from a client of HTTP/1.0 it means nothing.
        if (framing_.http10) return {};
        if (!equal_ignoring_case(value, "100-continue")) {
            return refuse(417, "this server knows no expectation but 100-continue");
        }
        framing_.expects_continue = true;
        return {};
    }

    void note_connection(std::string_view value) {
        while (!value.empty()) {
            const auto option = next_element(value);
            if (equal_ignoring_case(option, "close")) close_ = true;
            if (equal_ignoring_case(option, "keep-alive")) keep_alive_ = true;
        }
    }

    Taken note_length(std::string_view value) {
        std::uint64_t length = 0;
        const char* const end = value.data() + value.size();
        const auto parsed = std::from_chars(value.data(), end, length);
        if (parsed.ec != std::errc() || parsed.ptr != end) {
            return refuse(400, "the Content-Length is no number of bytes");
        }
        if (request_.content_length.value_or(length) != length) {
            return refuse(400, "there are two different Content-Length fields");
        }
        request_.content_length = length;
        return {};
    }

    Taken note_coding(std::string_view value) {
        do {
            const auto coding = next_element(value);
            if (!equal_ignoring_case(coding, "chunked")) {
                return refuse(coding.empty() ? 400 : 501,
                              "this server knows no transfer coding but chunked");
            }
            if (request_.chunked) return refuse(400, "the body is said to be chunked twice");
            request_.chunked = true;
        } while (!value.empty());
        return {};
    }

    std::expected<Framing, Refusal> conclude() {
        if (request_.chunked && request_.content_length) {
            return refuse(400, "a chunked body has a Content-Length as well");
        }
        if (request_.chunked && framing_.http10) {
            return refuse(400, "HTTP/1.0 has no transfer codings");
        }
        if (!has_host_ && !framing_.http10) return refuse(400, "there is no Host field");
        if (!authority_.empty()) request_.host = authority_;
        framing_.keep_alive = !close_ && (keep_alive_ || !framing_.http10);
        return framing_;
    }

    std::string_view rest_;
    Request& request_;
    Framing framing_;
    std::string_view authority_;
    bool has_host_ = false;
    bool has_authorization_ = false;
    bool close_ = false;
    bool keep_alive_ = false;
};

}  // namespace

std::size_t find_head_end(std::string_view input, std::size_t& searched) {
    for (;;) {
        const auto end = input.find('\n', searched);
        if (end == std::string_view::npos) return 0;
        const auto length = end - searched;
        if (length == 0 || (length == 1 && input[searched] == '\r')) return end + 1;
        searched = end + 1;
    }
}

std::expected<Framing, Refusal> parse_head(std::string_view head, Request& request) {
    return Parser(head, request).run();
}

}  // namespace berth::http
