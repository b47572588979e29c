// Document: the configuration that is written: the registry's own as it was read, and what is added
// to it. Keys keep their order.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace berth::migrate {

struct YamlValue {
    enum class Kind { null, scalar, list, map };

    Kind kind = Kind::null;
    std::string key;   // of a map's member
    std::string text;  // of a scalar
    std::size_t line = 0;
    std::vector<YamlValue> children;

    const YamlValue* find(std::string_view name) const;
    // The member of that name, made if missing. The value becomes a map if it is none.
    YamlValue& member(std::string_view name);
    void erase(std::string_view name);

    static YamlValue of(std::string text);
    static YamlValue of(const std::vector<std::string>& items);
};

class Document {
  public:
    using Path = std::initializer_list<std::string_view>;

    // Bounded in size and depth. Errc::invalid: `name:line: what is wrong`.
    static Result<Document> parse(const std::string& name, const std::string& yaml);

    YamlValue& root() { return root_; }
    // Made if missing.
    YamlValue& at(Path path);
    // Null: not there.
    const YamlValue* find(Path path) const;
    void set(Path path, std::string text) { put(path, YamlValue::of(std::move(text))); }
    void set(Path path, const std::vector<std::string>& items) { put(path, YamlValue::of(items)); }

    // As YAML, sections in their usual order.
    std::string write() const;

  private:
    void put(Path path, YamlValue value);

    YamlValue root_;
};

}  // namespace berth::migrate
