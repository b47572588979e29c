// What the tables of the server's exchanges share: SampleHandler's answers as they stand on the
// wire, and a server to ask.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "http/sample_handler.h"
#include "support/http_exchange.h"

namespace berth {

struct Row {
    const char* name;
    std::string sent;
    std::string received;
};

// An answer of SampleHandler, as it stands on the wire.
inline std::string answer(const std::string& status, const std::string& body,
                          const std::string& fields = "") {
    return "HTTP/1.1 " + status + "\r\n" + fields +
           "Server: sample\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
inline std::string hot(const std::string& body) {
    return answer("200 OK", body, "X-Sample: 1\r\n");
}
// The same as the connection's last.
inline std::string last(std::string text) {
    const auto end = text.find("\r\n\r\n");
    return text.insert(end + 2, "Connection: close\r\n");
}
inline std::string refused(const std::string& status, const std::string& reason) {
    return last(answer(status, reason + "\n"));
}

// A server with SampleHandler.
class HttpServer : public testing::Test {
  protected:
    void check(const std::vector<Row>& rows) {
        for (const Row& row : rows) {
            SCOPED_TRACE(row.name);
            EXPECT_EQ(http_exchange(server.port(), row.sent), row.received);
        }
    }
    // The server must end the connection by itself.
    void check_closed(const std::vector<Row>& rows) {
        for (const Row& row : rows) {
            SCOPED_TRACE(row.name);
            EXPECT_EQ(http_exchange_until_closed(server.port(), row.sent), row.received);
        }
    }

    static http::ServerOptions options() {
        http::ServerOptions made;
        made.fields = "Server: sample\r\n";
        return made;
    }
    SampleHandler handler;
    HttpTestServer server{handler, options()};
};

}  // namespace berth
