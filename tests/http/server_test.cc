// Goal: the server of HTTP answers byte for byte as it should, over real sockets.
// Method: tables of bytes sent over one connection and the bytes that come back; the client says
// that it is done, so that nothing waits for time. Dates are left out.
#include "http/sample_server.h"

namespace berth {
namespace {

TEST_F(HttpServer, AnswersAndKeepsTheConnection) {
    const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    check({
        {"one request", get, hot("hello\n")},
        {"two, one after the other", get + get, hot("hello\n") + hot("hello\n")},
        {"a coroutine's answer", "GET /coroutine HTTP/1.1\r\nHost: a\r\n\r\n" + get,
         answer("200 OK", "served\n") + hot("hello\n")},
        {"empty lines before a request", "\r\n\r\n" + get, hot("hello\n")},
        {"nothing at all", "", ""},
        {"half a head", "GET / HTTP/1.1\r\nHo", ""},
        {"another minor version is 1.1", "GET / HTTP/1.7\r\nHost: a\r\n\r\n", hot("hello\n")},
    });
}

TEST_F(HttpServer, AnswersPipelinedRequestsInOrder) {
    std::string sent;
    std::string received;
    for (int i = 0; i < 200; ++i) {
        sent += "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        received += hot("hello\n");
        if (i % 7 == 0) {
            sent += "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
            received += answer("200 OK", "abc");
        }
        if (i % 11 == 0) {
            sent += "GET /coroutine HTTP/1.1\r\nHost: a\r\n\r\n";
            received += answer("200 OK", "served\n");
        }
        if (i % 50 == 0) {
            sent += "GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
            received += hot(SampleHandler::large_body);
        }
    }
    check({{"hundreds", sent, received}});
}

TEST_F(HttpServer, EndsTheConnectionWhenAsked) {
    check_closed({
        {"by the client", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
         last(hot("hello\n"))},
        {"in a list", "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n",
         last(hot("hello\n"))},
        {"by the handler", "GET /close HTTP/1.1\r\nHost: a\r\n\r\n", last(hot("bye\n"))},
        {"requests behind it are not answered",
         "GET /close HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
         last(hot("bye\n"))},
        {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", last(hot("hello\n"))},
    });
    const std::string kept =
        "HTTP/1.1 200 OK\r\nX-Sample: 1\r\nServer: sample\r\n"
        "Content-Length: 6\r\nConnection: keep-alive\r\n\r\nhello\n";
    const std::string get = "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n";
    check({{"HTTP/1.0 with keep-alive", get + get, kept + kept}});
}

TEST_F(HttpServer, ReducesTargets) {
    const auto described = [](const std::string& line, const std::string& target,
                              const std::string& path, const std::string& query,
                              const std::string& host) {
        return Row{
            "", line + " HTTP/1.1\r\nHost: a\r\n\r\n",
            hot("method " + line.substr(0, line.find(' ')) + "\ntarget " + target + "\npath " +
                path + "\nquery " + query + "\nhost " + host + "\nversion HTTP/1.1\nHost=a\n")};
    };
    check({
        described("GET /request", "/request", "/request", "", "a"),
        described("GET /request?", "/request?", "/request", "", "a"),
        described("GET /request?a=b?c", "/request?a=b?c", "/request", "a=b?c", "a"),
        described("GET http://b:5000/request?x", "http://b:5000/request?x", "/request", "x",
                  "b:5000"),
        described("GET HTTPS://[::1]:5/request", "HTTPS://[::1]:5/request", "/request", "",
                  "[::1]:5"),
        described("OPTIONS *", "*", "*", "", "a"),
    });
    check({{"an absolute target without a path", "GET http://b HTTP/1.1\r\nHost: a\r\n\r\n",
            hot("hello\n")}});
}

TEST_F(HttpServer, SendsNoBodyWhereNoneBelongs) {
    check({
        {"HEAD", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
         "HTTP/1.1 200 OK\r\nX-Sample: 1\r\nServer: sample\r\nContent-Length: 6\r\n\r\n"},
        {"HEAD of a length", "HEAD /length HTTP/1.1\r\nHost: a\r\n\r\n",
         "HTTP/1.1 200 OK\r\nX-Sample: 1\r\nServer: sample\r\nContent-Length: 123456\r\n\r\n"},
        {"HEAD of a large body", "HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n",
         "HTTP/1.1 200 OK\r\nX-Sample: 1\r\nServer: sample\r\nContent-Length: " +
             std::to_string(SampleHandler::large_body.size()) + "\r\n\r\n"},
        {"204", "GET /status/204 HTTP/1.1\r\nHost: a\r\n\r\n",
         "HTTP/1.1 204 No Content\r\nX-Sample: 1\r\nServer: sample\r\n\r\n"},
        {"304", "GET /status/304 HTTP/1.1\r\nHost: a\r\n\r\n",
         "HTTP/1.1 304 Not Modified\r\nX-Sample: 1\r\nServer: sample\r\n\r\n"},
        {"a length without bytes promises none", "GET /length HTTP/1.1\r\nHost: a\r\n\r\n",
         hot("")},
        {"a status without a phrase", "GET /status/299 HTTP/1.1\r\nHost: a\r\n\r\n",
         answer("299 ", "text\n", "X-Sample: 1\r\n")},
    });
}

TEST_F(HttpServer, RefusesWhatIsNotProperAndEnds) {
    const auto row = [](const char* name, const std::string& head, const std::string& status,
                        const std::string& reason) {
        return Row{name, head + "\r\n\r\n", refused(status, reason)};
    };
    check_closed({
        row("a TLS greeting", std::string("\x16\x03\x01\x02\x00", 5), "400 Bad Request",
            "this is not HTTP"),
        row("HTTP/2", "PRI * HTTP/2.0", "505 HTTP Version Not Supported",
            "this server speaks HTTP/1.1 and HTTP/1.0"),
        row("no Host", "GET / HTTP/1.1", "400 Bad Request", "there is no Host field"),
        row("a bare LF", "GET / HTTP/1.1\nHost: a", "400 Bad Request",
            "a line of the head does not end with CRLF"),
        row("two ways of framing",
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked",
            "400 Bad Request", "a chunked body has a Content-Length as well"),
        row("an unknown coding", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip",
            "501 Not Implemented", "this server knows no transfer coding but chunked"),
        row("an unknown expectation", "PUT /echo HTTP/1.1\r\nHost: a\r\nExpect: cake",
            "417 Expectation Failed", "this server knows no expectation but 100-continue"),
        row("a fragment", "GET /a#b HTTP/1.1\r\nHost: a", "400 Bad Request",
            "the request's target has a character that must be escaped"),
        row("a head that is too long",
            "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(70'000, 'x'),
            "431 Request Header Fields Too Large", "the request's head is too long"),
        row("a long head that never ends", "GET /" + std::string(70'000, 'x'),
            "431 Request Header Fields Too Large", "the request's head is too long"),
        {"what came before is answered",
         "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
         hot("hello\n") + refused("400 Bad Request", "there is no Host field")},
    });
}

TEST_F(HttpServer, TakesBodies) {
    const std::string post = "POST /echo HTTP/1.1\r\nHost: a\r\n";
    const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
    const std::string large(300'000, 'b');
    check({
        {"with a length", post + "Content-Length: 5\r\n\r\nabcde" + get,
         answer("200 OK", "abcde") + hot("hello\n")},
        {"the same length twice", post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab",
         answer("200 OK", "ab")},
        {"of no bytes", post + "Content-Length: 0\r\n\r\n" + get,
         answer("200 OK", "") + hot("hello\n")},
        {"a large one", post + "Content-Length: 300000\r\n\r\n" + large + get,
         answer("200 OK", large) + hot("hello\n")},
        {"chunked", chunked + "3\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n0\r\n\r\n" + get,
         answer("200 OK", "abc0123456789") + hot("hello\n")},
        {"with trailers", chunked + "1\r\na\r\n0\r\nX: y\r\nZ: \r\n\r\n" + get,
         answer("200 OK", "a") + hot("hello\n")},
        {"one large chunk", chunked + "493e0\r\n" + large + "\r\n0\r\n\r\n" + get,
         answer("200 OK", large) + hot("hello\n")},
        {"no more than the limit",
         "POST /short HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd",
         answer("200 OK", "abcd")},
    });
    std::string tiny = chunked;
    for (int i = 0; i < 5000; ++i)
        tiny += "1\r\nz\r\n";
    check({{"many small chunks", tiny + "0\r\n\r\n" + get,
            answer("200 OK", std::string(5000, 'z')) + hot("hello\n")}});
}

TEST_F(HttpServer, EndsAfterABodyThatWentWrong) {
    const auto failed = [](const std::string& body) {
        return last(answer("400 Bad Request", body));
    };
    const std::string chunked =
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    check_closed({
        {"bad coding", chunked + "1\r\nab\r\n0\r\n\r\n", failed("\ninvalid")},
        {"announced beyond the limit",
         "POST /short HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde",
         failed("\ntoo_large")},
        {"chunks beyond the limit",
         "POST /short HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabcde",
         failed("\ntoo_large")},
    });
    check({
        {"the client goes away", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc",
         failed("abc\ncancelled")},
        {"in the middle of a chunk", chunked + "5\r\nabc", failed("abc\ncancelled")},
    });
}

TEST_F(HttpServer, DropsBodiesThatNobodyRead) {
    const std::string ignore = "PUT /ignore HTTP/1.1\r\nHost: a\r\n";
    const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string unauthorized = answer("401 Unauthorized", "who are you?\n");
    check({
        {"a short one", ignore + "Content-Length: 5\r\n\r\nabcde" + get,
         unauthorized + hot("hello\n")},
        {"a short chunked one",
         ignore + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n" + get,
         unauthorized + hot("hello\n")},
        {"of 64 KiB", ignore + "Content-Length: 65536\r\n\r\n" + std::string(65536, 'x') + get,
         unauthorized + hot("hello\n")},
    });
    check({
        {"a long one ends the connection, and the client sees the answer",
         ignore + "Content-Length: 3000000\r\n\r\n" + std::string(3'000'000, 'x') + get,
         last(unauthorized)},
    });
    HttpTestClient client(server.port());
    client.send(ignore + "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(without_dates(client.receive_all()), last(unauthorized))
        << "nobody knows whether a body will follow";
}

TEST_F(HttpServer, InvitesABodyWhenItIsRead) {
    HttpTestClient client(server.port());
    client.send(
        "PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n");
    EXPECT_EQ(client.receive_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("abc");
    EXPECT_EQ(client.receive_answer().body, "abc");
    EXPECT_EQ(client.ask("GET", "/").body, "hello\n");

    const std::string put = "PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n";
    check({{"a body that is there needs no invitation", put + "Expect: 100-continue\r\n\r\nabc",
            answer("200 OK", "abc")},
           {"nor does one that is refused by its length",
            "PUT /short HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
            last(answer("400 Bad Request", "\ntoo_large"))}});
}

TEST_F(HttpServer, TakesHeadsAndBodiesByteByByte) {
    HttpTestClient client(server.port());
    const std::string sent =
        "\r\nPOST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3;a\r\nabc\r\n2\r\nde\r\n0\r\nT: x\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (const char c : sent)
        client.send(std::string_view(&c, 1));
    client.finish_sending();
    EXPECT_EQ(without_dates(client.receive_all()), answer("200 OK", "abcde") + hot("hello\n"));
}

TEST_F(HttpServer, SurvivesAHandlerThatThrows) {
    const std::string reason = "the server failed; it is not the request's fault";
    check_closed({
        {"on the hot path", "GET /throw-now HTTP/1.1\r\nHost: a\r\n\r\n",
         refused("500 Internal Server Error", reason)},
        {"in a coroutine", "GET /throw HTTP/1.1\r\nHost: a\r\n\r\n",
         refused("500 Internal Server Error", reason)},
    });
}

}  // namespace
}  // namespace berth
