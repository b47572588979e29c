// Addresses of sockets: the configuration's forms, and the forms for people.
#include "net/address.h"

#include <gtest/gtest.h>

namespace berth::net {
namespace {

TEST(Address, SplitsHostAndPort) {
    struct Case {
        const char* text;
        const char* host;
        const char* port;
    };
    for (const Case& c : {Case{"127.0.0.1:5000", "127.0.0.1", "5000"}, Case{":5000", "", "5000"},
                          Case{"[::1]:80", "::1", "80"}, Case{"[::]:0", "::", "0"},
                          Case{"localhost:https", "localhost", "https"}}) {
        const auto parsed = split_host_port(c.text);
        ASSERT_TRUE(parsed) << c.text;
        EXPECT_EQ(parsed->host, c.host);
        EXPECT_EQ(parsed->port, c.port);
    }
}

TEST(Address, RefusesWhatHasNoPortOrNoBrackets) {
    for (const char* text : {"", "localhost", "127.0.0.1:", "[::1]", "::1:5000", "[::1:5000"}) {
        const auto parsed = split_host_port(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().code, Errc::invalid);
    }
}

TEST(Address, IsFormattedForPeople) {
    EXPECT_EQ(format_address(*resolve({"127.0.0.1", "5000"})), "127.0.0.1:5000");
    EXPECT_EQ(format_address(*resolve({"::1", "5000"})), "[::1]:5000");
    EXPECT_EQ(format_address(*unix_address("/run/berth.sock")), "unix:/run/berth.sock");
    EXPECT_EQ(format_address(*any_address(AF_INET, "80")), "0.0.0.0:80");
    EXPECT_EQ(format_address(*any_address(AF_INET6, "80")), "[::]:80");
}

TEST(Address, ShowsIPv4BehindIPv6AsIPv4) {
    EXPECT_EQ(host_of(*resolve({"::ffff:10.0.0.7", "1"})), "10.0.0.7");
    EXPECT_EQ(host_of(*unix_address("/x")), "");
    EXPECT_EQ(port_of(*resolve({"::1", "65535"})), 65535);
}

TEST(Address, NamesWhatIsWrongWithAHost) {
    const auto found = resolve({"no such host", "80"});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Errc::invalid);
    EXPECT_FALSE(unix_address(std::string(108, 'x')));
    EXPECT_TRUE(unix_address(std::string(107, 'x')));
}

}  // namespace
}  // namespace berth::net
