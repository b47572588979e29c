// Goal: a trusted proxy is told from anybody else.
// Method: tables of networks and addresses.
#include "base/networks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth {
namespace {

bool contains(const std::string& network, std::string_view address) {
    return Networks::parse({network}).value().contains(address);
}

TEST(Networks, ContainTheirAddressesOnly) {
    EXPECT_TRUE(contains("10.1.2.3", "10.1.2.3"));
    EXPECT_FALSE(contains("10.1.2.3", "10.1.2.4"));
    EXPECT_TRUE(contains("10.1.2.0/23", "10.1.3.255"));
    EXPECT_FALSE(contains("10.1.2.0/23", "10.1.4.0"));
    EXPECT_TRUE(contains("0.0.0.0/0", "203.0.113.9"));
    EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
    EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
    EXPECT_TRUE(contains("::/0", "::1"));
}

TEST(Networks, TakeAMappedAddressForTheOneInside) {
    EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.0.0.1"));
    EXPECT_TRUE(contains("::ffff:10.0.0.1", "10.0.0.1"));
}

TEST(Networks, ContainNothingThatIsNoAddress) {
    for (const char* text : {"", "localhost", "10.0.0", "10.0.0.1:80", "[::1]"})
        EXPECT_FALSE(contains("0.0.0.0/0", text)) << text;
}

TEST(Networks, RefuseWhatIsNone) {
    for (const char* text : {"", "x", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x",
                             "::/129", "example.org"}) {
        const auto parsed = Networks::parse({"10.0.0.1", text});
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().code, Errc::invalid);
        EXPECT_THAT(parsed.error().detail, testing::HasSubstr(text));
    }
}

TEST(Networks, NeighboursAreThisMachineAndPrivateNetworks) {
    const Networks neighbours = Networks::neighbours();
    for (const char* address : {"127.0.0.1", "::1", "10.0.0.1", "172.17.0.1", "192.168.1.1",
                                "fd00::1", "fe80::1%eth0", "169.254.0.1"}) {
        EXPECT_TRUE(neighbours.contains(address)) << address;
    }
    for (const char* address : {"8.8.8.8", "172.32.0.1", "2001:db8::1"})
        EXPECT_FALSE(neighbours.contains(address)) << address;
}

}  // namespace
}  // namespace berth
