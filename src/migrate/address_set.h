// AddressSet: any set of IP addresses, as Require ip, Allow and Deny make them; IPv4 and IPv6
// apart.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::migrate {

class AddressSet {
  public:
    static AddressSet all();
    static AddressSet none() { return {}; }
    // As Apache writes them: 10.1.2.3, 10.1 (a network of whole bytes), 10.1.0.0/16,
    // 10.1.0.0/255.255.0.0, 2001:db8::/32. nullopt: none of these, such as the name of a host.
    static std::optional<AddressSet> parse(std::string_view text);

    AddressSet united(const AddressSet& other) const;
    AddressSet common(const AddressSet& other) const;
    AddressSet complement() const;

    bool empty() const { return v4_.empty() && v6_.empty(); }
    bool is_all() const { return *this == all(); }
    bool inside(const AddressSet& other) const { return common(other) == *this; }
    friend auto operator<=>(const AddressSet&, const AddressSet&) = default;

    // The fewest networks that make it up, as Berth writes them. A network of IPv6 never stands for
    // addresses of IPv4.
    std::vector<std::string> networks() const;

  private:
    // Sixteen bytes in network order; of IPv4 the first four, the rest zero.
    using Address = std::array<std::uint8_t, 16>;
    struct Range {
        Address first, last;
        friend auto operator<=>(const Range&, const Range&) = default;
    };
    using Ranges = std::vector<Range>;  // ascending, apart from each other

    static Ranges normal(Ranges ranges, std::size_t size);
    static Ranges complement(const Ranges& ranges, std::size_t size);
    static void write(const Ranges& ranges, std::size_t size, std::vector<std::string>& out);

    Ranges v4_, v6_;
};

}  // namespace berth::migrate
