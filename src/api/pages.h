// The two pages beside the registry's API: `/` for people, `/healthz` for probes; and `/v2/`, which
// clients ask first.
#pragma once

#include <string>
#include <string_view>

namespace berth::api {

inline constexpr std::string_view kBaseBody = "{}";
inline constexpr std::string_view kHealthBody = "ok\n";

// HTML that says what this is and what to type. `registry` is what clients put before a
// repository's name: a host, and nothing else (it is not escaped).
std::string front_page(std::string_view registry);

}  // namespace berth::api
