// What a server asks for with 401: WWW-Authenticate, taken apart (RFC 9110 §11.6.1; distribution's
// token specification).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace berth::transfer {

struct Challenge {
    std::string scheme;                             // in lower case: basic, bearer
    std::map<std::string, std::string> parameters;  // names in lower case
};

// The challenges of one field, in its order; what cannot be understood is left out.
std::vector<Challenge> parse_challenges(std::string_view field);

}  // namespace berth::transfer
