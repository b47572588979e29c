// Text forms of bytes: hexadecimal, Base64 (RFC 4648), percent-encoding (RFC 3986), UTC timestamps
// (RFC 3339).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"

namespace berth {

std::string hex_encode(Bytes bytes);  // lower case
std::optional<std::string> hex_decode(std::string_view text);

std::string base64_encode(Bytes bytes);
// Accepts missing padding; nullopt for any other deviation.
std::optional<std::string> base64_decode(std::string_view text);

// The URL-safe alphabet, without padding (RFC 7515, 2). nullopt for any deviation, padding too.
std::string base64url_encode(Bytes bytes);
std::optional<std::string> base64url_decode(std::string_view text);

// Escapes all but RFC 3986's unreserved characters.
std::string percent_encode(std::string_view text);
// nullopt for a malformed escape. `+` stays `+`.
std::optional<std::string> percent_decode(std::string_view text);

std::string format_rfc3339(Time time);  // 2026-11-24T13:44:07.208Z
std::optional<Time> parse_rfc3339(std::string_view text);

}  // namespace berth
