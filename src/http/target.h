// The parts of a request target: percent-decoding, and the parameters of a query. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace berth::http {

// The parameters of a query (application/x-www-form-urlencoded: `+` is a space), decoded.
class Query {
  public:
    // Errc::invalid for a malformed escape.
    static Result<Query> parse(std::string_view query);

    // The first of that name; nullopt: none. A name without `=` has the empty value.
    std::optional<std::string_view> find(std::string_view name) const;
    std::vector<std::string_view> all(std::string_view name) const;
    bool has(std::string_view name) const { return find(name).has_value(); }

  private:
    std::vector<std::pair<std::string, std::string>> parameters_;
};

}  // namespace berth::http
