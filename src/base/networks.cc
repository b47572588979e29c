#include "base/networks.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>

namespace berth {
namespace {

constexpr unsigned kMappedBits = 96;  // of ::ffff:0:0/96, in which IPv4 addresses are kept here

bool same_prefix(const std::array<std::uint8_t, 16>& a, const std::array<std::uint8_t, 16>& b,
                 unsigned bits) {
    const std::size_t whole = bits / 8;
    if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
    const unsigned rest = bits % 8;
    return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

}  // namespace

bool Networks::parse_address(std::string_view text, Address& address, bool& is_v4) {
    char terminated[INET6_ADDRSTRLEN] = {};
    if (text.size() >= sizeof(terminated) || text.contains('\0')) return false;
    text.copy(terminated, text.size());
    in_addr v4{};
    is_v4 = inet_pton(AF_INET, terminated, &v4) == 1;
    if (is_v4) {
        address = {};
        address[10] = address[11] = 0xff;
        std::memcpy(&address[12], &v4, sizeof(v4));
        return true;
    }
    return inet_pton(AF_INET6, terminated, address.data()) == 1;
}

Result<Networks> Networks::parse(const std::vector<std::string>& texts) {
    Networks networks;
    for (const std::string& text : texts) {
        const std::size_t slash = text.find('/');
        Network network{};
        bool is_v4 = false;
        bool good = parse_address(std::string_view(text).substr(0, slash), network.address, is_v4);
        const unsigned bits_max = is_v4 ? 32 : 128;
        unsigned bits = bits_max;
        if (slash != std::string::npos) {
            const char* const end = text.data() + text.size();
            const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, bits);
            good = good && error == std::errc() && stop == end && bits <= bits_max;
        }
        if (!good) {
            return fail(Errc::invalid,
                        "\"" + text + "\" is no address and no network (10.0.0.0/8, fd00::/8)");
        }
        network.bits = is_v4 ? kMappedBits + bits : bits;
        networks.networks_.push_back(network);
    }
    return networks;
}

Networks Networks::neighbours() {
    return *parse({"127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                   "169.254.0.0/16", "fc00::/7", "fe80::/10"});
}

bool Networks::is_address(std::string_view text) {
    Address address{};
    bool is_v4 = false;
    return parse_address(text, address, is_v4);
}

bool Networks::contains(std::string_view address) const {
    Address parsed{};
    bool is_v4 = false;
    // A zone (fe80::1%eth0) says where, not who.
    if (!parse_address(address.substr(0, address.find('%')), parsed, is_v4)) return false;
    for (const Network& network : networks_) {
        if (same_prefix(parsed, network.address, network.bits)) return true;
    }
    return false;
}

}  // namespace berth
