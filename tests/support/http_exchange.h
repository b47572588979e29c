// HTTP exchanges against the real server on 127.0.0.1: raw bytes in, raw bytes out, or a request
// and its answer. For tables of exchanges with any Handler.
//
// Everything waits for bytes, never for time; what does not come within 30 seconds throws.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/pool.h"
#include "base/unique_fd.h"
#include "http/server.h"
#include "net/loop.h"

namespace berth {

// A server on a free port, from the constructor to stop().
class HttpTestServer {
  public:
    explicit HttpTestServer(http::Handler& handler, http::ServerOptions options = {},
                            std::shared_ptr<const net::TlsSource> tls = nullptr);
    ~HttpTestServer();

    std::uint16_t port() const { return port_; }
    // Ends when all exchanges under way have ended.
    void stop();

  private:
    Pool disk_{{.name = "disk", .threads = 2}};
    net::Loops loops_{2};
    http::Server server_;
    std::uint16_t port_ = 0;
};

using HttpFields = std::vector<std::pair<std::string, std::string>>;

struct HttpAnswer {
    int status = 0;
    HttpFields fields;
    std::string body;

    // The first field of that name; empty: none.
    std::string field(std::string_view name) const;
};

// One connection of a client that blocks.
class HttpTestClient {
  public:
    explicit HttpTestClient(std::uint16_t port);

    void send(std::string_view bytes);
    // Says that nothing more will be sent.
    void finish_sending();
    // Everything until `marker`, which is included, or until the server's end.
    std::string receive_until(std::string_view marker);
    // Everything until the server ends the connection. A reset throws.
    std::string receive_all();
    // Ends with a reset.
    void reset();
    int fd() const { return fd_.get(); }

    // Adds Host, and Content-Length where there is a body. The connection stays for the next one.
    HttpAnswer ask(std::string_view method, std::string_view target, const HttpFields& fields = {},
                   std::string_view body = {});
    // The next answer; `head_only`: to HEAD.
    HttpAnswer receive_answer(bool head_only = false);

  private:
    bool receive_some();

    UniqueFd fd_;
    std::string received_;
};

// One connection: sends all of it and the end, and returns all that came back, without the lines
// that begin with `Date: `.
std::string http_exchange(std::uint16_t port, std::string_view sent);
// The same, without saying that it is all: the server must end the connection.
std::string http_exchange_until_closed(std::uint16_t port, std::string_view sent);
// Without the lines that begin with `Date: `.
std::string without_dates(std::string text);

}  // namespace berth
