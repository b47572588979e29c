// ConfigValue: a place in the configuration, there or not, read into a plain value with a message
// that names file, line and key when it does not fit.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/yaml_node.h"

namespace berth::app {

// What is wrong with a configuration, and what should be known about it: each a line for people.
struct Findings {
    std::vector<std::string> problems;
    std::vector<std::string> warnings;
};

// Go's notation: a sum of numbers with units, `1h30m`, `10ms`; a bare number counts nanoseconds.
// nullopt: not a duration, negative, or more than a century.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

// Bytes, with an optional unit: `64MiB`, `10GB`. nullopt: not a size, or beyond 2^63.
std::optional<std::uint64_t> parse_size(std::string_view text);

// ASCII letters only.
std::string lower_case(std::string_view text);

// YAML 1.1: true, yes, on, false, no, off.
std::optional<bool> parse_bool(std::string_view text);

// `node` and `findings` outlive it.
class ConfigValue {
  public:
    // `node` null: the key is absent.
    ConfigValue(const YamlNode* node, std::string path, Findings& findings)
        : node_(node), path_(std::move(path)), findings_(&findings) {}

    // Is it there, with a value? An empty text or null is none.
    bool present() const;
    // Is the key there, whatever its value?
    bool named() const { return node_ != nullptr; }
    YamlNode::Kind kind() const { return node_ ? node_->kind : YamlNode::Kind::null; }

    ConfigValue at(std::string_view key) const;
    // A list's items; a single scalar counts as a list of one.
    std::vector<ConfigValue> items() const;
    // A map's members with their names.
    std::vector<std::pair<std::string, ConfigValue>> members() const;

    // These leave `out` as it is when the value is absent or wrong.
    void read(std::string& out) const;
    void read(bool& out) const;
    void read(std::vector<std::string>& out) const;
    void read(std::chrono::milliseconds& out) const;
    void read(std::chrono::seconds& out) const;
    void read_count(std::size_t& out, std::size_t least, std::size_t most) const;
    void read_bytes(std::uint64_t& out) const;
    // One of `words`, in any letter case: its place among them.
    std::optional<std::size_t> read_word(const std::vector<std::string_view>& words) const;

    void wrong(std::string_view what) const;
    void warn(std::string_view what) const;
    const std::string& path() const { return path_; }

  private:
    std::optional<std::string> scalar() const;
    std::optional<std::chrono::nanoseconds> duration() const;
    std::string where() const;

    const YamlNode* node_;
    std::string path_;
    Findings* findings_;
};

}  // namespace berth::app
