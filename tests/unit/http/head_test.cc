// Goal: a request's head is taken strictly: what two servers could read in two ways is refused.
// Method: tables of heads; the accepted ones are shown with all that was understood.
#include "http/head.h"

#include <gtest/gtest.h>

namespace berth::http {
namespace {

// Status of the refusal, 200 for none.
int status_of(const std::string& head) {
    std::size_t searched = 0;
    if (find_head_end(head, searched) != head.size()) return 0;
    Request request;
    const auto framing = parse_head(head, request);
    return framing ? 200 : framing.error().status;
}

std::string show(const std::string& head) {
    Request request;
    const auto framing = parse_head(head, request);
    if (!framing) return std::to_string(framing.error().status);
    std::string text;
    if (framing->keep_alive) text += "keep ";
    if (framing->http10) text += "1.0 ";
    if (framing->expects_continue) text += "expects ";
    if (request.chunked) text += "chunked ";
    if (request.content_length) text += std::to_string(*request.content_length) + " ";
    return text + std::string(request.host);
}

TEST(HeadEnd, IsFoundHoweverTheHeadArrives) {
    const std::string input = "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest\r\n\r\n";
    const std::size_t whole = input.find("rest");
    std::size_t searched = 0;
    for (std::size_t size = 0; size < whole; ++size)
        EXPECT_EQ(find_head_end(std::string_view(input).substr(0, size), searched), 0u);
    EXPECT_EQ(find_head_end(input, searched), whole);
    searched = 0;
    EXPECT_EQ(find_head_end(input, searched), whole);
    searched = 0;
    EXPECT_EQ(find_head_end("GET /\n\nrest", searched), 7u) << "parse_head refuses it";
    searched = 0;
    EXPECT_EQ(find_head_end("GET /\r\n\nrest", searched), 8u);
}

TEST(Head, IsUnderstood) {
    struct Row {
        const char* lines;
        const char* meaning;
    };
    const Row rows[] = {
        {"GET / HTTP/1.1\r\nHost: a:5000\r\n", "keep a:5000"},
        {"GET / HTTP/1.1\r\nhost:a\r\n", "keep a"},
        {"GET / HTTP/1.1\r\nHOST: \t a \t \r\n", "keep a"},
        {"GET / HTTP/1.1\r\nHost:\r\n", "keep "},
        {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n", "keep [::1]:80"},
        {"GET http://b/ HTTP/1.1\r\nHost: a\r\n", "keep b"},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n", "a"},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Close\r\n", "a"},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: a\r\nConnection: close\r\n", "a"},
        {"GET / HTTP/1.0\r\n", "1.0 "},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n", "keep 1.0 "},
        {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n", "1.0 "},
        {"GET / HTTP/1.0\r\nExpect: 100-continue\r\n", "1.0 "},
        {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n", "keep 5 a"},
        {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\ncontent-length: 5\r\n", "keep 5 a"},
        {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n",
         "keep 18446744073709551615 a"},
        {"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n", "keep chunked a"},
        {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n",
         "keep expects 5 a"},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: \xc3\xa4\tb \"c\"\r\n", "keep a"},
        {"GET / HTTP/1.1\r\nHost: a\r\nX-Empty:\r\n!#$%&'*+-.^_`|~09az: x\r\n", "keep a"},
        {"BREW /{}<>|\"\\^` HTTP/1.1\r\nHost: a\r\n", "keep a"},
    };
    for (const Row& row : rows)
        EXPECT_EQ(show(std::string(row.lines) + "\r\n"), row.meaning) << row.lines;
}

TEST(Head, IsRefused) {
    const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n";
    const std::string put = "PUT / HTTP/1.1\r\nHost: a\r\n";
    struct Row {
        const char* name;
        std::string lines;
        int status;
    };
    const Row rows[] = {
        {"fine", get, 200},
        {"bare LF behind the request line", "GET / HTTP/1.1\nHost: a\r\n", 400},
        {"bare LF behind a field", "GET / HTTP/1.1\r\nHost: a\n", 400},
        {"CR within a field", get + "X: a\rb\r\n", 400},
        {"CR CR LF", get + "X: a\r\r\n", 400},
        {"NUL in a value", get + std::string("X: a\0b\r\n", 8), 400},
        {"NUL far in a value", get + std::string("X: 0123456789abcdef\0\r\n", 22), 400},
        {"DEL in a value", get + "X: aaaaaaaa\x7f\r\n", 400},
        {"NUL in a name", get + std::string("X\0: a\r\n", 7), 400},
        {"a folded field", get + "X: a\r\n b\r\n", 400},
        {"a field folded by a tab", get + "X: a\r\n\tb\r\n", 400},
        {"white space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n", 400},
        {"a space before the colon", get + "X : a\r\n", 400},
        {"no colon", get + "X\r\n", 400},
        {"no name", get + ": x\r\n", 400},
        {"a name with a slash", get + "a/b: x\r\n", 400},
        {"a name that is not ASCII", get + "\xc3\xa4: x\r\n", 400},
        {"no Host", "GET / HTTP/1.1\r\n", 400},
        {"two Hosts", get + "Host: a\r\n", 400},
        {"two Authorizations", get + "Authorization: Basic YTpi\r\nauthorization: Basic YTpi\r\n",
         400},
        {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n", 400},
        {"a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n", 400},
        {"a Host with a user", "GET / HTTP/1.1\r\nHost: a@b\r\n", 400},
        {"a Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n", 400},
        {"no version", "GET /\r\nHost: a\r\n", 400},
        {"HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n", 505},
        {"HTTP/2", "GET / HTTP/2.0\r\nHost: a\r\n", 505},
        {"lower case version", "GET / http/1.1\r\nHost: a\r\n", 400},
        {"a long version", "GET / HTTP/1.11\r\nHost: a\r\n", 400},
        {"a version with spaces", "GET / HTTP/1.1 \r\nHost: a\r\n", 400},
        {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n", 400},
        {"a tab for a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n", 400},
        {"a space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n", 400},
        {"a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n", 400},
        {"a byte above ASCII in the target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n", 400},
        {"a target without a slash", "GET a HTTP/1.1\r\nHost: a\r\n", 400},
        {"an asterisk without OPTIONS", "GET * HTTP/1.1\r\nHost: a\r\n", 400},
        {"another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n", 400},
        {"a scheme alone", "GET http HTTP/1.1\r\nHost: a\r\n", 400},
        {"a scheme and a colon", "GET http: HTTP/1.1\r\nHost: a\r\n", 400},
        {"an absolute target without a host", "GET http:///a HTTP/1.1\r\nHost: a\r\n", 400},
        {"an absolute target with a user", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n", 400},
        {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n", 501},
        {"a method that is no token", "G(T / HTTP/1.1\r\nHost: a\r\n", 400},
        {"no method", " / HTTP/1.1\r\nHost: a\r\n", 400},
        {"a length and chunks", put + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400},
        {"chunks and a length", put + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", 400},
        {"two lengths", put + "Content-Length: 1\r\nContent-Length: 2\r\n", 400},
        {"a list of lengths", put + "Content-Length: 1, 1\r\n", 400},
        {"a length with a sign", put + "Content-Length: +1\r\n", 400},
        {"a negative length", put + "Content-Length: -1\r\n", 400},
        {"no length", put + "Content-Length:\r\n", 400},
        {"a hexadecimal length", put + "Content-Length: 0x1\r\n", 400},
        {"a length beyond 64 bits", put + "Content-Length: 18446744073709551616\r\n", 400},
        {"chunked twice", put + "Transfer-Encoding: chunked, chunked\r\n", 400},
        {"chunked in two fields",
         put + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
        {"no coding", put + "Transfer-Encoding:\r\n", 400},
        {"another coding", put + "Transfer-Encoding: gzip\r\n", 501},
        {"another coding as well", put + "Transfer-Encoding: gzip, chunked\r\n", 501},
        {"identity", put + "Transfer-Encoding: identity\r\n", 501},
        {"almost chunked", put + "Transfer-Encoding: xchunked\r\n", 501},
        {"a coding in HTTP/1.0", "PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", 400},
        {"another expectation", put + "Expect: 200-ok\r\n", 417},
    };
    for (const Row& row : rows)
        EXPECT_EQ(status_of(row.lines + "\r\n"), row.status) << row.name;
}

TEST(Head, HasNotTooManyFields) {
    std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 0; i < 127; ++i)
        head += "X: y\r\n";
    EXPECT_EQ(status_of(head + "\r\n"), 200);
    EXPECT_EQ(status_of(head + "X: y\r\n\r\n"), 431);
}

TEST(Head, LeavesWhatWasUnderstoodOfARefusedRequest) {
    Request request;
    EXPECT_FALSE(parse_head("PUT /a?b HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n", request));
    EXPECT_EQ(request.method, Method::put);
    EXPECT_EQ(request.path, "/a");
    EXPECT_EQ(request.query, "b");
    EXPECT_EQ(request.host, "a");
    EXPECT_EQ(request.field("x"), "y");
}

}  // namespace
}  // namespace berth::http
