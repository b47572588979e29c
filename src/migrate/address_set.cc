#include "migrate/address_set.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "migrate/directive.h"

namespace berth::migrate {

namespace {

constexpr std::size_t kV4 = 4;
constexpr std::size_t kV6 = 16;

using Bytes = std::array<std::uint8_t, 16>;

Bytes highest(std::size_t size) {
    Bytes address{};
    std::fill_n(address.begin(), size, std::uint8_t{0xff});
    return address;
}

// The next address; false: there is none.
bool increment(Bytes& address, std::size_t size) {
    for (std::size_t i = size; i-- > 0;) {
        if (++address[i] != 0) return true;
    }
    return false;
}

void decrement(Bytes& address, std::size_t size) {
    for (std::size_t i = size; i-- > 0;) {
        if (address[i]-- != 0) return;
    }
}

// `address` with its last bits, from number `bits` on, all set or cleared.
Bytes with_tail(Bytes address, std::size_t bits, std::size_t size, bool set) {
    for (std::size_t bit = bits; bit < size * 8; ++bit) {
        const auto mask = static_cast<std::uint8_t>(0x80u >> (bit % 8));
        auto& byte = address[bit / 8];
        byte = static_cast<std::uint8_t>(set ? byte | mask : byte & ~mask);
    }
    return address;
}

std::optional<Bytes> parse_address(const std::string& text, std::size_t& size) {
    Bytes address{};
    if (::inet_pton(AF_INET, text.c_str(), address.data()) == 1) {
        size = kV4;
        return address;
    }
    if (::inet_pton(AF_INET6, text.c_str(), address.data()) != 1) return std::nullopt;
    size = kV6;
    return address;
}

std::optional<std::size_t> parse_number(std::string_view text, std::size_t most) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > most) {
        return std::nullopt;
    }
    return value;
}

// 255.255.0.0: 16.
std::optional<std::size_t> parse_mask(const std::string& text) {
    std::size_t size = 0;
    const auto mask = parse_address(text, size);
    if (!mask || size != kV4) return std::nullopt;
    for (std::size_t bits = 0; bits <= 32; ++bits) {
        if (with_tail(highest(kV4), bits, kV4, false) == *mask) return bits;
    }
    return std::nullopt;
}

}  // namespace

AddressSet AddressSet::all() {
    AddressSet set;
    set.v4_ = {{Address{}, highest(kV4)}};
    set.v6_ = {{Address{}, highest(kV6)}};
    return set;
}

std::optional<AddressSet> AddressSet::parse(std::string_view text) {
    const auto slash = text.find('/');
    std::string network(text.substr(0, slash));
    std::size_t size = 0;
    auto address = parse_address(network, size);
    std::optional<std::size_t> bits;
    if (address) {
        bits = size * 8;
        if (slash != text.npos) {
            const auto rest = std::string(text.substr(slash + 1));
            bits =
                size == kV4 && rest.contains('.') ? parse_mask(rest) : parse_number(rest, size * 8);
        }
    } else if (slash == text.npos) {
        // 10, 10.1, 10.1.2, with or without a dot at the end.
        if (network.ends_with('.')) network.pop_back();
        const auto parts = split(network, ".");
        if (parts.empty() || parts.size() > 3 || join(parts, ".") != network) return std::nullopt;
        Address bytes{};
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const auto number = parse_number(parts[i], 255);
            if (!number) return std::nullopt;
            bytes[i] = static_cast<std::uint8_t>(*number);
        }
        size = kV4;
        address = bytes;
        bits = parts.size() * 8;
    }
    if (!address || !bits) return std::nullopt;
    AddressSet set;
    auto& ranges = size == kV4 ? set.v4_ : set.v6_;
    ranges = {{with_tail(*address, *bits, size, false), with_tail(*address, *bits, size, true)}};
    return set;
}

AddressSet::Ranges AddressSet::normal(Ranges ranges, std::size_t size) {
    std::ranges::sort(ranges);
    Ranges merged;
    for (const auto& range : ranges) {
        if (!merged.empty()) {
            auto after = merged.back().last;
            if (!increment(after, size) || range.first <= after) {
                merged.back().last = std::max(merged.back().last, range.last);
                continue;
            }
        }
        merged.push_back(range);
    }
    return merged;
}

AddressSet AddressSet::united(const AddressSet& other) const {
    AddressSet set = *this;
    set.v4_.insert(set.v4_.end(), other.v4_.begin(), other.v4_.end());
    set.v6_.insert(set.v6_.end(), other.v6_.begin(), other.v6_.end());
    set.v4_ = normal(std::move(set.v4_), kV4);
    set.v6_ = normal(std::move(set.v6_), kV6);
    return set;
}

AddressSet::Ranges AddressSet::complement(const Ranges& ranges, std::size_t size) {
    Ranges gaps;
    Address next{};
    for (const auto& range : ranges) {
        if (next < range.first) {
            auto last = range.first;
            decrement(last, size);
            gaps.push_back({next, last});
        }
        next = range.last;
        if (!increment(next, size)) return gaps;
    }
    gaps.push_back({next, highest(size)});
    return gaps;
}

AddressSet AddressSet::complement() const {
    AddressSet set;
    set.v4_ = complement(v4_, kV4);
    set.v6_ = complement(v6_, kV6);
    return set;
}

AddressSet AddressSet::common(const AddressSet& other) const {
    if (*this == other) return *this;
    return complement().united(other.complement()).complement();
}

void AddressSet::write(const Ranges& ranges, std::size_t size, std::vector<std::string>& out) {
    for (auto [first, last] : ranges) {
        for (;;) {
            // The largest network that starts at `first` and does not go beyond `last`.
            std::size_t bits = size * 8;
            while (bits > 0 && with_tail(first, bits - 1, size, false) == first &&
                   with_tail(first, bits - 1, size, true) <= last) {
                --bits;
            }
            char text[INET6_ADDRSTRLEN];
            ::inet_ntop(size == kV4 ? AF_INET : AF_INET6, first.data(), text, sizeof(text));
            out.push_back(text);
            if (bits < size * 8) out.back() += "/" + std::to_string(bits);
            const auto end = with_tail(first, bits, size, true);
            first = end;
            if (end >= last || !increment(first, size)) break;
        }
    }
}

std::vector<std::string> AddressSet::networks() const {
    std::vector<std::string> out;
    write(v4_, kV4, out);
    // IPv4 addresses are ::ffff:0:0/96 to Berth, which the set's IPv6 part must not bring in.
    const auto mapped = *parse("::ffff:0:0/96");
    AddressSet v6;
    v6.v6_ = v6_;
    write(v6.common(mapped.complement()).v6_, kV6, out);
    return out;
}

}  // namespace berth::migrate
