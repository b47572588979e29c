// Goal: the address that rules, the throttle and the logs go by is the caller's, and nobody can
// make up another. Method: a table of requests, as they come directly and through proxies.
#include "api/caller.h"

#include <gtest/gtest.h>

#include "api/api.h"

namespace berth::api {
namespace {

struct Row {
    const char* what;
    std::string peer;
    std::vector<http::Field> fields;
    std::string_view expected;
};

void check(const std::vector<std::string>& trusted, const std::vector<Row>& rows) {
    ApiOptions options;
    options.trusted_proxies = trusted;
    const Networks proxies =
        trusted.empty() ? Networks::neighbours() : Networks::parse(trusted).value();
    for (const Row& row : rows) {
        SCOPED_TRACE(row.what);
        const net::Peer peer{row.peer, 1234, false};
        http::Request request;
        request.fields = row.fields;
        request.peer = &peer;
        EXPECT_EQ(caller_address(request, options, proxies), row.expected);
    }
}

TEST(Caller, IsThePeerUnlessAProxyIsNamed) {
    check(
        {},
        {
            {"directly", "203.0.113.9", {}, "203.0.113.9"},
            {"a neighbour may lie too", "127.0.0.1", {{"X-Forwarded-For", "1.2.3.4"}}, "127.0.0.1"},
            {"a unix socket", "", {{"X-Forwarded-For", "1.2.3.4"}}, ""},
        });
}

TEST(Caller, IsWhoATrustedProxySaw) {
    check({"10.0.0.0/8", "fd00::/8"},
          {
              {"a stranger is not believed",
               "203.0.113.9",
               {{"X-Forwarded-For", "1.2.3.4"}},
               "203.0.113.9"},
              {"one proxy", "10.0.0.1", {{"X-Forwarded-For", "1.2.3.4"}}, "1.2.3.4"},
              {"letter case", "10.0.0.1", {{"x-forwarded-for", "1.2.3.4"}}, "1.2.3.4"},
              {"what the caller made up stands before",
               "10.0.0.1",
               {{"X-Forwarded-For", "6.6.6.6, 1.2.3.4"}},
               "1.2.3.4"},
              {"in a field of its own",
               "10.0.0.1",
               {{"X-Forwarded-For", "6.6.6.6"}, {"X-Forwarded-For", "1.2.3.4"}},
               "1.2.3.4"},
              {"two proxies",
               "10.0.0.1",
               {{"X-Forwarded-For", "6.6.6.6, 1.2.3.4,10.0.0.2"}},
               "1.2.3.4"},
              {"only proxies", "10.0.0.1", {{"X-Forwarded-For", "10.0.0.3, 10.0.0.2"}}, "10.0.0.3"},
              {"a port", "10.0.0.1", {{"X-Forwarded-For", "1.2.3.4:5678"}}, "1.2.3.4"},
              {"IPv6", "fd00::1", {{"X-Forwarded-For", "2001:db8::1"}}, "2001:db8::1"},
              {"IPv6 with a port",
               "fd00::1",
               {{"X-Forwarded-For", "[2001:db8::1]:5678"}},
               "2001:db8::1"},
              {"no address", "10.0.0.1", {{"X-Forwarded-For", "unknown"}}, "10.0.0.1"},
              {"nothing", "10.0.0.1", {{"X-Forwarded-For", ""}}, "10.0.0.1"},
              {"only commas", "10.0.0.1", {{"X-Forwarded-For", ", ,"}}, "10.0.0.1"},
              {"no field", "10.0.0.1", {}, "10.0.0.1"},
          });
}

}  // namespace
}  // namespace berth::api
