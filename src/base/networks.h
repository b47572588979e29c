// Networks: a set of IP addresses and networks (CIDR), to tell a trusted proxy from anybody, or a
// place that a rule is about from others. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth {

class Networks {
  public:
    // Each an address or `address/bits`, IPv4 or IPv6. Errc::invalid names the one that is neither.
    static Result<Networks> parse(const std::vector<std::string>& texts);
    // Loopback and the networks that only neighbours come from (RFC 1918, RFC 4193, link-local).
    static Networks neighbours();

    // Is it an IP address at all?
    static bool is_address(std::string_view text);

    // An IPv4 address inside IPv6 (::ffff:a.b.c.d) counts as the IPv4 one. Does not allocate.
    bool contains(std::string_view address) const;

  private:
    using Address = std::array<std::uint8_t, 16>;
    struct Network {
        Address address;
        unsigned bits;
    };
    static bool parse_address(std::string_view text, Address& address, bool& is_v4);

    std::vector<Network> networks_;
};

}  // namespace berth
