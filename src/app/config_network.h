// Addresses, URLs and headers in the configuration.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config_value.h"

namespace berth::app {

using Headers = std::vector<std::pair<std::string, std::string>>;

// An IP address's bits, 32 or 128; nullopt: none.
std::optional<unsigned> address_bits(const std::string& text);
bool is_number(std::string_view text, unsigned most);

// To listen on: host:port, [IPv6]:port or :port.
void check_tcp_address(const ConfigValue& value, const std::string& address);
// To connect to: the same; no host means this one, which is filled in.
void check_peer(const ConfigValue& value, std::string& address);
// http:// or https:// with a host.
void read_http_url(const ConfigValue& value, std::string& out);
// Of requests that this server makes: their values may be passwords.
void read_secret_headers(const ConfigValue& headers, Headers& out);
// Is it a token as RFC 9110 has it: a header's name?
bool is_token(std::string_view text);

}  // namespace berth::app
