// Goal: connections end when they should and in a way that the client understands, the handler
// learns what became of each exchange, and no client holds a connection for ever.
// Method: clients that go away, are too slow, or ask for too much; short times, waited for by their
// effect only.
#include <fcntl.h>

#include <fstream>
#include <thread>

#include "http/sample_server.h"
#include "support/temporary_directory.h"
#include "unit/net/net_support.h"

namespace berth {
namespace {

TEST_F(HttpServer, SaysWhatBecameOfEachExchange) {
    {
        HttpTestClient client(server.port());
        EXPECT_EQ(client.ask("GET", "/").status, 200);
        EXPECT_EQ(client.ask("HEAD", "/large").status, 200);
        EXPECT_EQ(client.ask("GET", "/large").body, SampleHandler::large_body);
        EXPECT_EQ(client.ask("POST", "/echo", {}, "abc").body, "abc");
    }
    handler.wait_for_records(4);
    const auto records = handler.records();
    ASSERT_EQ(records.size(), 4u);
    EXPECT_EQ(records[0].body_bytes, 6u);
    EXPECT_EQ(records[1].body_bytes, 0u);
    EXPECT_EQ(records[2].body_bytes, SampleHandler::large_body.size());
    EXPECT_EQ(records[3].body_bytes, 3u);
    for (const auto& record : records) {
        EXPECT_TRUE(record.complete);
        EXPECT_EQ(record.id.size(), 20u);
        EXPECT_EQ(record.id.find_first_not_of("0123456789abcdef"), std::string::npos);
    }
    EXPECT_NE(records[0].id, records[1].id);
}

TEST_F(HttpServer, SaysThatAClientWentAway) {
    HttpTestClient client(server.port());
    std::string gets;
    for (int i = 0; i < 40; ++i)
        gets += "GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
    client.send(gets);
    client.receive_until("\r\n\r\n");
    client.reset();
    // The answers that fitted the sockets' buffers are complete, the next one is not.
    for (std::size_t count = 1;; ++count) {
        handler.wait_for_records(count);
        const auto record = handler.records()[count - 1];
        if (record.complete) continue;
        EXPECT_LT(record.body_bytes, SampleHandler::large_body.size());
        break;
    }
}

TEST_F(HttpServer, DatesItsAnswers) {
    HttpTestClient client(server.port());
    const auto date = client.ask("GET", "/").field("Date");
    EXPECT_THAT(date,
                testing::MatchesRegex("[A-Z][a-z][a-z], [0-9][0-9] [A-Z][a-z][a-z] 20[0-9][0-9] "
                                      "[0-9][0-9]:[0-9][0-9]:[0-9][0-9] GMT"));
}

TEST_F(HttpServer, EndsIdleConnectionsWhenItStops) {
    HttpTestClient idle(server.port());
    HttpTestClient used(server.port());
    EXPECT_EQ(used.ask("GET", "/").status, 200);
    HttpTestClient busy(server.port());
    busy.send("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(busy.receive_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    std::thread stopping([this] { server.stop(); });
    EXPECT_EQ(used.receive_all(), "");
    EXPECT_EQ(idle.receive_all(), "");
    busy.send("abc");
    EXPECT_EQ(without_dates(busy.receive_all()), last(answer("200 OK", "abc")));
    stopping.join();
}

TEST_F(HttpServer, SendsFiles) {
    const TemporaryDirectory directory;
    std::ofstream(directory.file("blob")) << SampleHandler::large_body;
    const UniqueFd file(::open(directory.file("blob").c_str(), O_RDONLY | O_CLOEXEC));
    handler.file = file.get();
    const std::string get = "GET /file HTTP/1.1\r\nHost: a\r\n\r\n";
    for (const std::size_t size :
         {std::size_t(0), std::size_t(10), SampleHandler::large_body.size()}) {
        handler.file_size = size;
        const auto received = hot(SampleHandler::large_body.substr(0, size));
        check({{"twice", get + get, received + received}});
    }
    const auto sent = handler.records().back();
    EXPECT_EQ(sent.body_bytes, SampleHandler::large_body.size());
    EXPECT_TRUE(sent.complete);
    check({{"HEAD", "HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX-Sample: 1\r\nServer: sample\r\nContent-Length: " +
                std::to_string(handler.file_size) + "\r\n\r\n"}});
}

TEST_F(HttpServer, EndsWhenAFileIsShorterThanItWas) {
    const TemporaryDirectory directory;
    std::ofstream(directory.file("blob")) << SampleHandler::large_body;
    const UniqueFd file(::open(directory.file("blob").c_str(), O_RDONLY | O_CLOEXEC));
    handler.file = file.get();
    handler.file_size = SampleHandler::large_body.size() + 5;
    HttpTestClient client(server.port());
    client.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto received = client.receive_all();
    EXPECT_TRUE(received.ends_with(SampleHandler::large_body));
    handler.wait_for_records(1);
    EXPECT_FALSE(handler.records()[0].complete);
    EXPECT_EQ(handler.records()[0].body_bytes, SampleHandler::large_body.size());
}

// Each client does too little and waits for what becomes of it.
class ImpatientHttpServer : public testing::Test {
  protected:
    static http::ServerOptions options() {
        http::ServerOptions made;
        made.fields = "Server: sample\r\n";
        made.header_timeout = std::chrono::milliseconds(50);
        made.idle_timeout = std::chrono::milliseconds(50);
        made.body_timeout = std::chrono::milliseconds(50);
        return made;
    }
    SampleHandler handler;
    HttpTestServer server{handler, options()};
};

TEST_F(ImpatientHttpServer, EndsConnectionsThatSayNothing) {
    HttpTestClient silent(server.port());
    EXPECT_EQ(silent.receive_all(), "");
    HttpTestClient idle(server.port());
    EXPECT_EQ(idle.ask("GET", "/").status, 200);
    EXPECT_EQ(idle.receive_all(), "");
}

TEST_F(ImpatientHttpServer, AnswersAHeadThatDoesNotComeToItsEnd) {
    HttpTestClient client(server.port());
    client.send("GET / HTTP/1.1\r\nHost: ");
    EXPECT_EQ(without_dates(client.receive_all()),
              refused("408 Request Timeout", "the request's head did not arrive in time"));
    handler.wait_for_records(1);
    EXPECT_EQ(handler.records()[0].status, 408);
}

TEST_F(ImpatientHttpServer, CutsABodyThatDoesNotCome) {
    HttpTestClient client(server.port());
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc");
    EXPECT_EQ(client.receive_all(), "");
    handler.wait_for_records(1);
    EXPECT_EQ(handler.records()[0].status, 400);
    EXPECT_FALSE(handler.records()[0].complete);
}

TEST_F(ImpatientHttpServer, CutsAnAnswerThatNobodyTakes) {
    HttpTestClient client(server.port());
    std::string gets;
    for (int i = 0; i < 40; ++i)
        gets += "GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
    client.send(gets);
    for (std::size_t count = 1;; ++count) {
        handler.wait_for_records(count);
        if (!handler.records()[count - 1].complete) break;
    }
}

class TlsHttpServer : public testing::Test {
  protected:
    const net::Certificate certificate{net::KeyKind::ec};
    SampleHandler handler;
    HttpTestServer server{handler, {}, certificate.source()};
};

TEST_F(TlsHttpServer, TellsAPlainClientToUseHttps) {
    HttpTestClient client(server.port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto received = client.receive_all();
    EXPECT_TRUE(received.starts_with("HTTP/1.1 400 Bad Request\r\n"));
    EXPECT_TRUE(received.ends_with("\r\n\r\nthis port speaks TLS: use https\n"));
}

TEST_F(TlsHttpServer, AnswersPipelinedRequests) {
    HttpTestClient client(server.port());
    net::TlsClient tls(client.fd(), TLS1_3_VERSION);
    ASSERT_TRUE(tls.handshake());
    std::string sent;
    std::string received;
    for (int i = 0; i < 100; ++i) {
        sent += "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /status/204 HTTP/1.1\r\nHost: a\r\n\r\n";
        received +=
            "HTTP/1.1 200 OK\r\nX-Sample: 1\r\nContent-Length: 6\r\n\r\nhello\n"
            "HTTP/1.1 204 No Content\r\nX-Sample: 1\r\n\r\n";
    }
    sent += "GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    received += "HTTP/1.1 200 OK\r\nX-Sample: 1\r\nContent-Length: " +
                std::to_string(SampleHandler::large_body.size()) + "\r\nConnection: close\r\n\r\n" +
                SampleHandler::large_body;
    ASSERT_TRUE(tls.write(sent));
    const auto got = without_dates(tls.read_exactly(received.size() + (1 << 20)));
    EXPECT_TRUE(got == received);
    EXPECT_TRUE(tls.ended_properly());
}

}  // namespace
}  // namespace berth
