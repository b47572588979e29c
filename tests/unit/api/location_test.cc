// Goal: a Location leads the client back to us by the way it came.
// Method: a table of requests, as they come through proxies and directly.
#include "api/location.h"

#include <gtest/gtest.h>

#include "api/api.h"

namespace berth::api {
namespace {

struct Row {
    const char* what;
    std::vector<http::Field> fields;
    std::string_view expected;
    std::string_view host = "here:5000";
    net::Peer peer = {"127.0.0.1", 1234, false};
};

void check(const ApiOptions& options, const std::vector<Row>& rows) {
    const Networks proxies = options.trusted_proxies.empty()
                                 ? Networks::neighbours()
                                 : Networks::parse(options.trusted_proxies).value();
    for (const Row& row : rows) {
        SCOPED_TRACE(row.what);
        http::Request request;
        request.fields = row.fields;
        request.host = row.host;
        request.peer = &row.peer;
        EXPECT_EQ(locate(request, options, proxies, "v2/a"), row.expected);
    }
}

const net::Peer kStranger{"203.0.113.9", 1, false};

TEST(Location, IsWhatTheRequestCameTo) {
    check({}, {
                  {"plain", {}, "http://here:5000/v2/a"},
                  {"TLS", {}, "https://here:5000/v2/a", "here:5000", {"127.0.0.1", 1, true}},
                  {"IPv6", {}, "http://[::1]:5000/v2/a", "[::1]:5000"},
                  {"no Host", {}, "/v2/a", ""},
                  {"a Host that would break out", {}, "/v2/a", "x/@evil\"<>"},
              });
}

TEST(Location, IsWhatATrustedProxySays) {
    check(
        {},
        {
            {"the scheme", {{"X-Forwarded-Proto", "https"}}, "https://here:5000/v2/a"},
            {"scheme and host",
             {{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Host", "hub.example.org"}},
             "https://hub.example.org/v2/a"},
            {"the first of several",
             {{"X-Forwarded-Proto", "https, http"}, {"X-Forwarded-Host", "a.example, b"}},
             "https://a.example/v2/a"},
            {"a port",
             {{"X-Forwarded-Proto", "https"},
              {"X-Forwarded-Host", "a.example"},
              {"X-Forwarded-Port", "8443"}},
             "https://a.example:8443/v2/a"},
            {"the usual port",
             {{"X-Forwarded-Proto", "https"},
              {"X-Forwarded-Host", "a.example"},
              {"X-Forwarded-Port", "443"}},
             "https://a.example/v2/a"},
            {"a port where there is one", {{"X-Forwarded-Port", "8443"}}, "http://here:5000/v2/a"},
            {"Forwarded",
             {{"Forwarded", "for=192.0.2.60;proto=https;by=203.0.113.43;host=f.example"}},
             "https://f.example/v2/a"},
            {"Forwarded, quoted, of two proxies",
             {{"Forwarded", "Host=\"[2001:db8::1]:8443\" ; Proto=https, for=x;host=no.example"}},
             "https://[2001:db8::1]:8443/v2/a"},
            {"Forwarded before X-Forwarded",
             {{"X-Forwarded-Host", "x.example"}, {"Forwarded", "host=f.example"}},
             "http://f.example/v2/a"},
            {"nonsense", {{"Forwarded", ";;=,host"}}, "http://here:5000/v2/a"},
            {"a scheme that is none", {{"X-Forwarded-Proto", "javascript"}}, "/v2/a"},
            {"a unix socket",
             {{"X-Forwarded-Proto", "https"}},
             "https://here:5000/v2/a",
             "here:5000",
             {"", 0, false}},
        });
}

TEST(Location, IsNotWhatAnybodySays) {
    check({}, {{"a stranger",
                {{"X-Forwarded-Host", "evil.example"}, {"Forwarded", "host=evil.example"}},
                "http://here:5000/v2/a",
                "here:5000",
                kStranger}});
    ApiOptions options;
    options.trusted_proxies = {"203.0.113.0/24"};
    check(options, {
                       {"one that is trusted by name",
                        {{"X-Forwarded-Proto", "https"}},
                        "https://here:5000/v2/a",
                        "here:5000",
                        kStranger},
                       {"a neighbour, then not named",
                        {{"X-Forwarded-Proto", "https"}},
                        "http://here:5000/v2/a"},
                   });
}

TEST(Location, IsWhatTheConfigurationSays) {
    ApiOptions options;
    options.prefix = "/registry/";
    check(options, {{"a prefix", {}, "http://here:5000/registry/v2/a"}});
    options.host = "https://hub.example.org:8443/";
    check(options, {{"http.host wins",
                     {{"Forwarded", "host=other"}},
                     "https://hub.example.org:8443/registry/v2/a"}});
    options.relative_urls = true;
    check(options, {{"relative", {}, "/registry/v2/a"}});
}

}  // namespace
}  // namespace berth::api
