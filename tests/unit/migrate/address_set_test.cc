// Goal: sets of addresses are exact. Method: tables, and random sets against a list of addresses.
#include "migrate/address_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/networks.h"

namespace berth::migrate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> networks(std::string_view text) {
    const auto set = AddressSet::parse(text);
    return set ? set->networks() : std::vector<std::string>{"none"};
}

TEST(AddressSet, ReadsWhatApacheReads) {
    EXPECT_THAT(networks("10.1.2.3"), ElementsAre("10.1.2.3"));
    EXPECT_THAT(networks("10"), ElementsAre("10.0.0.0/8"));
    EXPECT_THAT(networks("10.1"), ElementsAre("10.1.0.0/16"));
    EXPECT_THAT(networks("10.1.2."), ElementsAre("10.1.2.0/24"));
    EXPECT_THAT(networks("10.1.2.3/24"), ElementsAre("10.1.2.0/24"));
    EXPECT_THAT(networks("10.1.0.0/255.255.0.0"), ElementsAre("10.1.0.0/16"));
    EXPECT_THAT(networks("2001:db8::1"), ElementsAre("2001:db8::1"));
    EXPECT_THAT(networks("2001:db8::/32"), ElementsAre("2001:db8::/32"));
    EXPECT_THAT(networks("0.0.0.0/0"), ElementsAre("0.0.0.0/0"));
    for (const auto* bad :
         {"", "example.org", "10.1.2.256", "256", "10..1", "10.1.0.0/33", "10.1.0.0/255.0.255.0",
          "2001:db8::/129", "10.1/16", "1.2.3.4.5", "-1", "10.1.0.0/", ".10"}) {
        EXPECT_THAT(networks(bad), ElementsAre("none")) << bad;
    }
}

TEST(AddressSet, JoinsAndCuts) {
    const auto ten = *AddressSet::parse("10");
    const auto part = *AddressSet::parse("10.128.0.0/9");
    EXPECT_TRUE(part.inside(ten));
    EXPECT_FALSE(ten.inside(part));
    EXPECT_THAT(ten.common(part.complement()).networks(), ElementsAre("10.0.0.0/9"));
    EXPECT_EQ(ten.united(part), ten);
    EXPECT_THAT(ten.common(*AddressSet::parse("11")).networks(), IsEmpty());
    EXPECT_THAT(ten.united(*AddressSet::parse("11")).networks(), ElementsAre("10.0.0.0/7"));
    EXPECT_TRUE(AddressSet::all().complement().empty());
    EXPECT_TRUE(AddressSet::none().complement().is_all());
    EXPECT_FALSE(AddressSet::parse("0.0.0.0/0")->is_all());
}

// Berth takes an IPv4 address as ::ffff:a.b.c.d, which must not bring it in by an IPv6 network.
TEST(AddressSet, KeepsIpv4OutOfIpv6Networks) {
    const auto rest = AddressSet::parse("10")->complement().networks();
    const auto berth = Networks::parse(rest);
    ASSERT_TRUE(berth) << berth.error().detail;
    EXPECT_FALSE(berth->contains("10.1.2.3"));
    EXPECT_FALSE(berth->contains("::ffff:10.1.2.3"));
    EXPECT_TRUE(berth->contains("11.1.2.3"));
    EXPECT_TRUE(berth->contains("::1"));
    EXPECT_TRUE(berth->contains("2001:db8::1"));
}

TEST(AddressSet, AgreesWithBerthsNetworks) {
    std::mt19937 random(1);
    const auto number = [&](unsigned most) { return std::to_string(random() % (most + 1)); };
    for (int round = 0; round < 200; ++round) {
        AddressSet set;
        std::vector<std::string> texts;
        for (int i = 0; i < 3; ++i) {
            const auto text = "10.0." + number(3) + "." + number(255) + "/" + number(32);
            texts.push_back(text);
            set = set.united(*AddressSet::parse(text));
        }
        const auto given = *Networks::parse(texts);
        const auto written = *Networks::parse(set.networks());
        const auto inverse = *Networks::parse(set.complement().networks());
        for (int i = 0; i < 50; ++i) {
            const auto address = "10.0." + number(4) + "." + number(255);
            EXPECT_EQ(written.contains(address), given.contains(address)) << address;
            EXPECT_EQ(inverse.contains(address), !given.contains(address)) << address;
        }
    }
}

}  // namespace
}  // namespace berth::migrate
