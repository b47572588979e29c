// ConfigValue: a place in the configuration, there or not, read into a plain value with a message
// that names file, line and key when it does not fit.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/effective.h"
#include "app/yaml_node.h"

namespace berth::app {

// What comes of reading a configuration besides its values.
struct Findings {
    // What is wrong, and what should be known: each a line for people.
    std::vector<std::string> problems;
    std::vector<std::string> warnings;
    std::vector<EffectiveValue> effective;
};

// Go's notation: a sum of numbers with units, `1h30m`, `10ms`; a bare number counts nanoseconds.
// nullopt: not a duration, negative, or more than a century.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

// In the largest unit that says it whole.
std::string format_duration(std::chrono::milliseconds value);

// Bytes, with an optional unit: `64MiB`, `10GB`. nullopt: not a size, or beyond 2^63.
std::optional<std::uint64_t> parse_size(std::string_view text);

// YAML 1.1: true, yes, on, false, no, off.
std::optional<bool> parse_bool(std::string_view text);

// `node` and `findings` outlive it.
class ConfigValue {
  public:
    // `node` null: the key is absent.
    ConfigValue(const YamlNode* node, ConfigPath path, Findings& findings)
        : node_(node), path_(std::move(path)), findings_(&findings) {}

    // Is it there, with a value? An empty text or null is none.
    bool present() const;
    // Is the key there, whatever its value?
    bool named() const { return node_ != nullptr; }
    YamlNode::Kind kind() const { return node_ ? node_->kind : YamlNode::Kind::null; }

    ConfigValue at(std::string_view key) const;
    // This key, with the value of its old name where only that is there.
    ConfigValue or_old(const ConfigValue& old) const;
    // A list's items; a single scalar counts as a list of one.
    std::vector<ConfigValue> items() const;
    // A map's members with their names.
    std::vector<std::pair<std::string, ConfigValue>> members() const;

    // These leave `out` as it is when the value is absent or wrong, and record what is in force.
    void read(std::string& out) const;
    void read(bool& out) const;
    void read(std::vector<std::string>& out) const;
    void read(std::chrono::milliseconds& out) const;
    void read(std::chrono::seconds& out) const;
    template <class Number>
    void read_count(Number& out, std::uint64_t least, std::uint64_t most) const {
        if (const auto value = number(least, most)) out = static_cast<Number>(*value);
        record(static_cast<std::uint64_t>(out));
    }
    void read_bytes(std::uint64_t& out) const;
    // One of `words`, in any letter case.
    void read_word(std::string& out, const std::vector<std::string_view>& words) const;
    // `words` are the names of the enum's values, in their order.
    template <class Enum>
    void read_word(Enum& out, const std::vector<std::string_view>& words) const {
        std::string word(words.at(static_cast<std::size_t>(out)));
        read_word(word, words);
        out = static_cast<Enum>(std::ranges::find(words, word) - words.begin());
    }
    // 0 means the default, as in registry:2.
    void read_unless_zero(std::chrono::milliseconds& out) const;
    void read_unless_zero(std::uint32_t& out, std::uint32_t most) const;
    // Recorded as `(hidden)`.
    void read_secret(std::string& out) const;
    // Recorded without the user, the password and the query, which may hold a secret.
    void read_url(std::string& out) const;

    // Of what is not read by the above.
    void record(decltype(EffectiveValue::value) value) const;

    void wrong(std::string_view what) const;
    void warn(std::string_view what) const;
    std::string path() const { return to_string(path_); }

  private:
    std::optional<std::string> scalar() const;
    std::optional<std::chrono::nanoseconds> duration() const;
    std::optional<std::uint64_t> number(std::uint64_t least, std::uint64_t most) const;
    std::string where() const;

    const YamlNode* node_;
    ConfigPath path_;
    Findings* findings_;
};

}  // namespace berth::app
