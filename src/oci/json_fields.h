// JsonFields: takes a JSON object apart, field by field, so that what is wrong is named and what is
// left over at the end is not known. Messages are sentences for whoever wrote the object.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "oci/json.h"

namespace berth::oci {

class JsonFields {
  public:
    // As parse_json; Errc::invalid too for JSON that is no object.
    static Result<JsonFields> parse(std::string_view text, std::size_t depth_max);

    bool has(const char* key) const { return object_.contains(key); }
    // nullopt: there is none. A null is a value.
    std::optional<Json> take(const char* key);

    // Errc::invalid names the field when it is missing, or of another type.
    Result<std::string> text(const char* key);
    Result<std::vector<std::string>> texts(const char* key);
    Result<Time> time(const char* key);  // a text, as in RFC 3339

    // Errc::invalid names a field that nobody took.
    Result<void> end() const;

  private:
    explicit JsonFields(Json object) : object_(std::move(object)) {}

    Json object_;
};

}  // namespace berth::oci
