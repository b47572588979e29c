// Goal: the client says what was answered, or why nothing was, within its bounds, and never gives
// away what is secret in a URL.
// Method: the repository's own server on 127.0.0.1, and bare sockets for what no server does.
#include "http/client.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "http/sample_handler.h"
#include "net/tls_source.h"
#include "support/http_exchange.h"
#include "unit/net/net_support.h"

namespace berth::http {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A socket on a free port of 127.0.0.1. What connects is taken by the kernel and waits.
class BareServer {
  public:
    explicit BareServer(bool listening) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::socklen_t size = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        if (::bind(fd_.get(), generic, size) != 0 ||
            ::getsockname(fd_.get(), generic, &size) != 0 ||
            (listening && ::listen(fd_.get(), 8) != 0)) {
            throw std::runtime_error("no socket for a test");
        }
        port_ = ntohs(address.sin_port);
    }
    std::string url(const std::string& target = "/") const {
        return "http://127.0.0.1:" + std::to_string(port_) + target;
    }
    UniqueFd accept() const {
        return UniqueFd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    }

  private:
    UniqueFd fd_;
    int port_ = 0;
};

// Answers one connection with `bytes` as they are.
ClientResponse exchange(const std::string& bytes) {
    const BareServer server(true);
    std::thread answering([&] {
        const UniqueFd fd = server.accept();
        std::string head;
        char c = 0;
        while (!head.ends_with("\r\n\r\n") && ::read(fd.get(), &c, 1) == 1)
            head += c;
        net::send_all(fd.get(), bytes);
    });
    auto response = send({.url = server.url()});
    answering.join();
    return response ? *response : ClientResponse{.status = 0, .body = response.error().detail};
}

class ClientTest : public testing::Test {
  protected:
    std::string url(const std::string& target) const {
        return "http://127.0.0.1:" + std::to_string(server.port()) + target;
    }
    SampleHandler handler;
    HttpTestServer server{handler};
};

TEST_F(ClientTest, ReceivesStatusFieldsAndBody) {
    const auto response = send({.url = url("/")});
    ASSERT_TRUE(response) << response.error().detail;
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "hello\n");
    EXPECT_THAT(response->fields, testing::Contains(std::pair("x-sample", "1")));
}

TEST_F(ClientTest, SendsExactlyTheFieldsItIsGivenAndWhatHttpNeeds) {
    const auto response =
        send({.url = url("/request?a=b"), .fields = {{"X-One", "1"}, {"X-Empty", ""}}});
    ASSERT_TRUE(response) << response.error().detail;
    EXPECT_EQ(response->body,
              "method GET\ntarget /request?a=b\npath /request\nquery a=b\nhost "
              "127.0.0.1:" +
                  std::to_string(server.port()) + "\nversion HTTP/1.1\nHost=127." +
                  "0.0.1:" + std::to_string(server.port()) + "\nAccept=*/*\nX-One=1\nX-Empty=\n");
}

TEST_F(ClientTest, SendsABody) {
    const std::string body(2 << 20, 'x');
    auto response = send({.method = "POST",
                          .url = url("/echo"),
                          .fields = {{"Content-Type", "text/plain"}},
                          .body = body,
                          .body_bytes_max = body.size()});
    ASSERT_TRUE(response) << response.error().detail;
    EXPECT_EQ(response->body, body);
    response = send({.method = "PUT", .url = url("/echo")});
    ASSERT_TRUE(response) << response.error().detail;
    EXPECT_EQ(response->body, "");
}

TEST_F(ClientTest, AsksForTheHeadAlone) {
    const auto response = send({.method = "HEAD", .url = url("/large")});
    ASSERT_TRUE(response) << response.error().detail;
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "");
}

TEST_F(ClientTest, TakesEveryStatusAsAnAnswer) {
    for (const int status : {204, 301, 401, 404, 500, 503}) {
        const auto response = send({.url = url("/status/" + std::to_string(status))});
        ASSERT_TRUE(response) << response.error().detail;
        EXPECT_EQ(response->status, status);
    }
}

TEST_F(ClientTest, RefusesAnAnswerThatIsTooLarge) {
    const auto size = SampleHandler::large_body.size();
    auto response = send({.url = url("/large"), .body_bytes_max = size - 1});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Errc::too_large);
    EXPECT_EQ(response.error().detail, "127.0.0.1: the answer is too large");
    response = send({.url = url("/large"), .body_bytes_max = size});
    ASSERT_TRUE(response) << response.error().detail;
    EXPECT_EQ(response->body, SampleHandler::large_body);
}

TEST_F(ClientTest, GivesABodyOfAnySizeAwayPieceByPiece) {
    std::string taken;
    const auto take = [&taken](int status, Bytes bytes) -> Result<void> {
        EXPECT_EQ(status, 200);
        taken += as_text(bytes);
        return {};
    };
    auto response = send({.url = url("/large"), .body_bytes_max = 1, .on_body = take});
    ASSERT_TRUE(response) << response.error().detail;
    EXPECT_EQ(response->body, "");
    EXPECT_EQ(taken, SampleHandler::large_body);
    taken.clear();
    response = send({.url = url("/status/404"), .on_body = take});
    ASSERT_TRUE(response) << response.error().detail;
    EXPECT_EQ(response->status, 404);
    EXPECT_EQ(taken, "");
}

TEST_F(ClientTest, StopsAtOnceWhenABodyIsRefused) {
    int pieces = 0;
    const auto refuse = [&pieces](int, Bytes) -> Result<void> {
        ++pieces;
        return fail(Errc::no_space, "no more");
    };
    const auto response = send({.url = url("/large"), .on_body = refuse});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Errc::no_space);
    EXPECT_EQ(response.error().detail, "no more");
    EXPECT_EQ(pieces, 1);
}

TEST_F(ClientTest, ASessionGoesOnAfterAnyRequest) {
    Session session;
    for (const auto& [target, status] :
         std::vector<std::pair<std::string, int>>{{"/", 200}, {"/status/404", 404}, {"/", 200}}) {
        const auto response = session.send({.url = url(target)});
        ASSERT_TRUE(response) << response.error().detail;
        EXPECT_EQ(response->status, status);
    }
    EXPECT_FALSE(session.send({.url = url("/large"), .body_bytes_max = 1}));
    EXPECT_EQ(session.send({.method = "PUT", .url = url("/echo"), .body = "x"}).value().body, "x");
    EXPECT_EQ(session.send({.url = url("/")}).value().body, "hello\n");
}

TEST_F(ClientTest, UsesNoProxyOfTheEnvironment) {
    ::setenv("http_proxy", "http://127.0.0.1:1", 1);
    ::setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    const auto response = send({.url = url("/")});
    ::unsetenv("http_proxy");
    ::unsetenv("ALL_PROXY");
    ASSERT_TRUE(response) << response.error().detail;
}

TEST_F(ClientTest, ServesManyThreadsAtOnce) {
    std::atomic<int> answered = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] { answered += send({.url = url("/")}) ? 1 : 0; });
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(answered, 8);
}

TEST_F(ClientTest, FetchGivesTheBodyOf200Only) {
    auto body = fetch(url("/"), "");
    ASSERT_TRUE(body) << body.error().detail;
    EXPECT_EQ(*body, "hello\n");
    body = fetch(url("/status/302"), "");
    ASSERT_FALSE(body);
    EXPECT_EQ(body.error().code, Errc::unavailable);
    EXPECT_EQ(body.error().detail, "127.0.0.1: answered 302");
    EXPECT_EQ(fetch("ftp://127.0.0.1/", "").error().code, Errc::invalid);
}

TEST(Client, FollowsNoRedirect) {
    const auto response = exchange(
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(response.status, 302);
    EXPECT_THAT(response.fields, testing::Contains(std::pair("location", "http://127.0.0.1:1/")));
}

TEST(Client, ForgetsInterimAnswers) {
    const auto response = exchange(
        "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
        "HTTP/1.1 200 OK\r\nX-Late:  a: b \r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(response.status, 200);
    EXPECT_THAT(response.fields, testing::ElementsAre(std::pair("x-late", "a: b"),
                                                      std::pair("content-length", "0")));
}

TEST(Client, RefusesAHeadThatIsTooLarge) {
    std::string head = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 3; ++i)
        head += "X-Much: " + std::string(30'000, 'x') + "\r\n";
    EXPECT_EQ(exchange(head + "Content-Length: 0\r\n\r\n").body,
              "127.0.0.1: the answer is too large");
}

TEST(Client, TakesAnAnswerThatBreaksOffForNone) {
    EXPECT_THAT(exchange("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").body,
                StartsWith("127.0.0.1: "));
    EXPECT_THAT(exchange("").body, StartsWith("127.0.0.1: "));
    EXPECT_THAT(exchange("220 mail\r\n").body, StartsWith("127.0.0.1: "));
}

TEST(Client, GivesUpOnAServerThatIsTooSlow) {
    const BareServer silent(true);
    const auto response = send({.url = silent.url(), .timeout = 50ms});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Errc::unavailable);
}

TEST(Client, SaysThatAPortRefusesWithoutTheSecretsOfTheUrl) {
    const BareServer refusing(false);
    std::string url = refusing.url("/path?token=hidden-query#hidden-fragment");
    url.insert(url.find("127"), "name:hidden-password@");
    const auto response = send({.url = url});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Errc::unavailable);
    EXPECT_THAT(response.error().detail, AllOf(StartsWith("127.0.0.1: "), HasSubstr("connect"),
                                               Not(HasSubstr("hidden")), Not(HasSubstr("name"))));
}

TEST(Client, RefusesWhatIsNoRequest) {
    const ClientRequest rows[] = {
        {.url = ""},
        {.url = "hidden nothing"},
        {.url = "http://"},
        {.url = "http://host:hidden/"},
        {.url = "ftp://hidden/"},
        {.url = "file:///hidden"},
        {.url = "gopher://hidden/"},
        {.method = "", .url = "http://127.0.0.1:1/"},
        {.method = "GET / HTTP/1.1\r\nX: hidden", .url = "http://127.0.0.1:1/"},
        {.url = "http://127.0.0.1:1/", .fields = {{"A", "hidden\r\nB: 1"}}},
        {.url = "http://127.0.0.1:1/", .fields = {{"A: hidden\r\nB", "1"}}},
        {.url = "http://127.0.0.1:1/", .fields = {{"", "hidden"}}},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.url);
        const auto response = send(row);
        ASSERT_FALSE(response);
        EXPECT_EQ(response.error().code, Errc::invalid);
        EXPECT_THAT(response.error().detail, Not(HasSubstr("hidden")));
    }
}

TEST(ClientTls, TrustsTheGivenAuthorityAlone) {
    const net::Certificate certificate(net::KeyKind::ec);
    const net::Certificate other(net::KeyKind::ec);
    const SystemClock clock;
    SampleHandler handler;
    auto source = net::TlsSource::open(certificate.options(), clock, [](auto&&...) {});
    ASSERT_TRUE(source) << source.error().detail;
    HttpTestServer server(handler, {}, *source);
    const std::string port = std::to_string(server.port());
    const auto ask = [&](const std::string& host, const std::string& ca) {
        return send({.url = "https://" + host + ":" + port + "/", .ca = ca});
    };
    const auto response = ask("localhost", certificate.options().certificate);
    ASSERT_TRUE(response) << response.error().detail;
    EXPECT_EQ(response->body, "hello\n");
    for (const std::string& ca :
         {other.options().certificate, std::string("/nonexistent.pem"), std::string()}) {
        const auto refused = ask("localhost", ca);
        ASSERT_FALSE(refused) << ca;
        EXPECT_EQ(refused.error().code, Errc::unavailable);
        EXPECT_THAT(refused.error().detail, HasSubstr("certificate"));
    }
    // The certificate is good, but not for this name.
    EXPECT_FALSE(ask("127.0.0.1", certificate.options().certificate));
}

}  // namespace
}  // namespace berth::http
