#include "app/config_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/nearest.h"
#include "base/text.h"

namespace berth::app {

namespace {

struct Unit {
    std::string_view name;
    double factor;
};

constexpr std::array kTimeUnits{Unit{"ns", 1},    Unit{"us", 1e3}, Unit{"\xc2\xb5s", 1e3},
                                Unit{"ms", 1e6},  Unit{"s", 1e9},  Unit{"m", 60e9},
                                Unit{"h", 3600e9}};
constexpr std::array kSizeUnits{
    Unit{"", 1},
    Unit{"B", 1},
    Unit{"kB", 1e3},
    Unit{"KB", 1e3},
    Unit{"MB", 1e6},
    Unit{"GB", 1e9},
    Unit{"TB", 1e12},
    Unit{"K", 1 << 10},
    Unit{"KiB", 1 << 10},
    Unit{"M", 1 << 20},
    Unit{"MiB", 1 << 20},
    Unit{"G", 1 << 30},
    Unit{"GiB", 1 << 30},
    Unit{"T", 1024.0 * (1 << 30)},
    Unit{"TiB", 1024.0 * (1 << 30)},
};

constexpr double kNanosecondsMax = 100 * 365.25 * 86400e9;

bool is_digit(char c) {
    return (c >= '0' && c <= '9') || c == '.';
}

// Takes a decimal number off the front of `text`; nullopt: there is none.
std::optional<double> take_number(std::string_view& text) {
    const auto end = std::ranges::find_if_not(text, is_digit);
    const auto length = static_cast<std::size_t>(end - text.begin());
    double number = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + length, number);
    if (error != std::errc() || rest != text.data() + length) return std::nullopt;
    text.remove_prefix(length);
    return number;
}

const Unit* find_unit(std::span<const Unit> units, std::string_view name) {
    const auto it = std::ranges::find(units, name, &Unit::name);
    return it == units.end() ? nullptr : &*it;
}

constexpr const char* kHidden = "(hidden)";

std::string without_secrets(std::string url) {
    if (const auto query = url.find('?'); query != std::string::npos) {
        url.replace(query + 1, std::string::npos, kHidden);
    }
    const auto scheme = url.find("://");
    const auto begin = scheme == std::string::npos ? 0 : scheme + 3;
    const auto end = url.find_first_of("/?#", begin);
    const auto at = url.substr(0, end).rfind('@');
    if (at != std::string::npos && at >= begin) url.replace(begin, at - begin, kHidden);
    return url;
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
    double sum = 0;
    if (text.empty()) return std::nullopt;
    do {
        const auto number = take_number(text);
        if (!number) return std::nullopt;
        const auto end = std::ranges::find_if(text, is_digit);
        const auto name = text.substr(0, static_cast<std::size_t>(end - text.begin()));
        const auto* unit = find_unit(kTimeUnits, name);
        if (unit == nullptr && !(name.empty() && text.empty() && sum == 0)) return std::nullopt;
        sum += *number * (unit == nullptr ? 1 : unit->factor);
        text.remove_prefix(name.size());
    } while (!text.empty());
    if (!(sum <= kNanosecondsMax)) return std::nullopt;
    return std::chrono::nanoseconds(std::llround(sum));
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    while (text.starts_with(' '))
        text.remove_prefix(1);
    const auto* unit = find_unit(kSizeUnits, text);
    if (unit == nullptr || !(*number * unit->factor < 0x1p63)) return std::nullopt;
    return static_cast<std::uint64_t>(*number * unit->factor);
}

std::optional<bool> parse_bool(std::string_view text) {
    const auto word = lower_case(text);
    for (const auto* yes : {"true", "yes", "on", "y"}) {
        if (word == yes) return true;
    }
    for (const auto* no : {"false", "no", "off", "n"}) {
        if (word == no) return false;
    }
    return std::nullopt;
}

std::string format_duration(std::chrono::milliseconds value) {
    const auto count = value.count();
    if (count == 0) return "0s";
    if (count % 3'600'000 == 0) return std::to_string(count / 3'600'000) + "h";
    if (count % 60'000 == 0) return std::to_string(count / 60'000) + "m";
    if (count % 1000 == 0) return std::to_string(count / 1000) + "s";
    return std::to_string(count) + "ms";
}

bool ConfigValue::present() const {
    if (node_ == nullptr || node_->kind == YamlNode::Kind::null) return false;
    return node_->kind != YamlNode::Kind::scalar || !node_->text.empty();
}

ConfigValue ConfigValue::at(std::string_view key) const {
    if (node_ != nullptr && kind() != YamlNode::Kind::map && present()) wrong("must be a map");
    const auto* member = node_ == nullptr ? nullptr : node_->find(key);
    return {member, joined(path_, {std::string(key)}), *findings_};
}

ConfigValue ConfigValue::or_old(const ConfigValue& old) const {
    return {present() || !old.present() ? node_ : old.node_, path_, *findings_};
}

std::vector<ConfigValue> ConfigValue::items() const {
    if (!present()) return {};
    if (kind() == YamlNode::Kind::scalar) return {*this};
    if (kind() != YamlNode::Kind::list) {
        wrong("must be a list");
        return {};
    }
    std::vector<ConfigValue> items;
    for (const auto& child : node_->children) {
        items.emplace_back(&child, joined(path_, item_step(items.size())), *findings_);
    }
    return items;
}

std::vector<std::pair<std::string, ConfigValue>> ConfigValue::members() const {
    if (!present()) return {};
    if (kind() != YamlNode::Kind::map) {
        wrong("must be a map");
        return {};
    }
    std::vector<std::pair<std::string, ConfigValue>> members;
    for (const auto& child : node_->children)
        members.emplace_back(child.key, at(child.key));
    return members;
}

std::optional<std::string> ConfigValue::scalar() const {
    if (!present()) return std::nullopt;
    if (kind() == YamlNode::Kind::scalar) return node_->text;
    wrong("must be a single value");
    return std::nullopt;
}

void ConfigValue::read(std::string& out) const {
    if (auto text = scalar()) out = std::move(*text);
    record(out);
}

void ConfigValue::read_secret(std::string& out) const {
    if (auto text = scalar()) out = std::move(*text);
    record(out.empty() ? out : std::string(kHidden));
}

void ConfigValue::read_url(std::string& out) const {
    if (auto text = scalar()) out = std::move(*text);
    record(without_secrets(out));
}

void ConfigValue::read(bool& out) const {
    if (const auto text = scalar()) {
        if (const auto value = parse_bool(*text)) {
            out = *value;
        } else {
            wrong("must be true or false");
        }
    }
    record(out);
}

void ConfigValue::read(std::vector<std::string>& out) const {
    if (present()) {
        out.clear();
        for (const auto& item : items()) {
            std::string text;
            item.read(text);
            if (!text.empty()) out.push_back(std::move(text));
        }
        if (out.empty()) record(Empty::list);
        return;
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
        ConfigValue(nullptr, joined(path_, item_step(i)), *findings_).record(out[i]);
    }
}

std::optional<std::chrono::nanoseconds> ConfigValue::duration() const {
    const auto text = scalar();
    if (!text) return std::nullopt;
    const auto value = parse_duration(*text);
    if (!value) {
        wrong("must be a duration such as 30s, 10m or 168h");
    } else if (*value != value->zero() && std::ranges::all_of(*text, is_digit)) {
        warn("a number without a unit counts nanoseconds, as in registry:2; write " + *text +
             "s for seconds");
    }
    return value;
}

void ConfigValue::read(std::chrono::milliseconds& out) const {
    if (const auto value = duration()) out = std::chrono::ceil<std::chrono::milliseconds>(*value);
    record(format_duration(out));
}

void ConfigValue::read(std::chrono::seconds& out) const {
    if (const auto value = duration()) out = std::chrono::ceil<std::chrono::seconds>(*value);
    record(format_duration(out));
}

void ConfigValue::read_unless_zero(std::chrono::milliseconds& out) const {
    const auto value = duration();
    if (value && *value != value->zero()) {
        out = std::chrono::ceil<std::chrono::milliseconds>(*value);
    }
    record(format_duration(out));
}

std::optional<std::uint64_t> ConfigValue::number(std::uint64_t least, std::uint64_t most) const {
    const auto text = scalar();
    if (!text) return std::nullopt;
    std::uint64_t value = 0;
    const auto [rest, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error == std::errc() && rest == text->data() + text->size() && value >= least &&
        value <= most) {
        return value;
    }
    wrong("must be a number from " + std::to_string(least) + " to " + std::to_string(most));
    return std::nullopt;
}

void ConfigValue::read_unless_zero(std::uint32_t& out, std::uint32_t most) const {
    if (const auto count = number(0, most); count.value_or(0) != 0) {
        out = static_cast<std::uint32_t>(*count);
    }
    record(std::uint64_t{out});
}

void ConfigValue::read_bytes(std::uint64_t& out) const {
    if (const auto text = scalar()) {
        if (const auto value = parse_size(*text)) {
            out = *value;
        } else {
            wrong("must be a number of bytes such as 65536, 64MiB or 10GiB");
        }
    }
    record(out);
}

void ConfigValue::read_word(std::string& out, const std::vector<std::string_view>& words) const {
    if (const auto text = scalar()) {
        const auto it = std::ranges::find(words, lower_case(*text), lower_case);
        if (it != words.end()) {
            out = *it;
        } else {
            const auto near = nearest(*text, words);
            wrong("\"" + *text + "\" is none of " + join(words, ", ") +
                  (near.empty() ? "" : "; did you mean " + std::string(near) + "?"));
        }
    }
    record(out);
}

void ConfigValue::record(decltype(EffectiveValue::value) value) const {
    const auto* text = std::get_if<std::string>(&value);
    if (text != nullptr && text->empty()) return;
    findings_->effective.push_back(
        {path_, std::move(value), present() ? node_->source : "default"});
}

std::string ConfigValue::where() const {
    return (node_ == nullptr ? "" : node_->source + ": ") + (path_.empty() ? "" : path() + ": ");
}

void ConfigValue::wrong(std::string_view what) const {
    auto line = where() + std::string(what);
    // Several keys may be looked for in a section of the wrong kind: one message will do.
    if (std::ranges::count(findings_->problems, line) == 0) {
        findings_->problems.push_back(std::move(line));
    }
}

void ConfigValue::warn(std::string_view what) const {
    findings_->warnings.push_back(where() + std::string(what));
}

}  // namespace berth::app
