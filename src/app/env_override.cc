#include "app/env_override.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config_keys.h"
#include "base/text.h"

namespace berth::app {

namespace {

constexpr std::string_view kPrefix = "REGISTRY_";

// Does a variable's part, which has no underscores, mean this key?
bool same(std::string_view key, std::string_view part) {
    auto plain = lower_case(key);
    std::erase(plain, '_');
    return plain == lower_case(part);
}

// The original goes by the names of its Go fields; where they are not the keys of the file, both
// are taken here. An empty key is the place itself.
struct FieldName {
    std::string_view row, field, key;
};
constexpr FieldName kFieldNames[] = {
    {"compatibility.schema1", "trustkey", "signingkeyfile"},
    {"health", "filecheckers", "file"},
    {"health", "httpcheckers", "http"},
    {"health", "tcpcheckers", "tcp"},
    {"log.hooks[]", "mailoptions", "options"},
    {"notifications", "eventconfig", "events"},
    {"redis", "options", ""},
};

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> parts;
    while (true) {
        const auto end = text.find('_');
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::optional<std::size_t> parse_index(std::string_view text) {
    std::size_t index = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), index);
    if (text.empty() || error != std::errc() || rest != text.data() + text.size()) {
        return std::nullopt;
    }
    return index;
}

// May this place hold a list? What has no members in the table may: the reader knows better.
bool is_list(const YamlNode& node, const std::string& row) {
    if (node.kind == YamlNode::Kind::list || !member_names(row + "[]").empty()) return true;
    return node.kind != YamlNode::Kind::map && find_key(row) != nullptr &&
           member_names(row).empty();
}

// The key that `part` means below a node; empty: none.
std::string find_name(const YamlNode& node, const std::string& row, std::string_view part) {
    if (node.kind == YamlNode::Kind::map) {
        for (const auto& child : node.children) {
            if (same(child.key, part)) return child.key;
        }
    }
    const auto names = member_names(row);
    for (const auto name : names) {
        if (name != "*" && same(name, part)) return std::string(name);
    }
    const bool open = takes_any_name(row) || std::ranges::count(names, "*") > 0;
    return open && !part.empty() ? lower_case(part) : std::string();
}

enum class Outcome { found, unknown, past_the_end };

// The place that `path` names below a node, made where it is missing; `source` is the variable.
Outcome locate(YamlNode& node, const std::string& row, std::span<const std::string> path,
               const std::string& source, YamlNode*& place) {
    if (path.empty()) {
        place = &node;
        return Outcome::found;
    }
    if (const auto index = parse_index(path.front()); index && is_list(node, row)) {
        if (node.kind != YamlNode::Kind::list) {
            node.kind = YamlNode::Kind::list;
            node.source = source;
            node.text.clear();
            node.children.clear();
        }
        if (*index > node.children.size()) return Outcome::past_the_end;
        if (*index == node.children.size()) node.children.emplace_back().source = source;
        return locate(node.children[*index], row + "[]", path.subspan(1), source, place);
    }
    const auto* field = std::ranges::find_if(kFieldNames, [&](const FieldName& of) {
        return of.row == row && same(of.field, path.front());
    });
    const bool renamed = field != std::end(kFieldNames);
    if (renamed && field->key.empty()) return locate(node, row, path.subspan(1), source, place);
    const auto name = renamed ? std::string(field->key) : find_name(node, row, path.front());
    if (name.empty()) return Outcome::unknown;
    if (node.kind != YamlNode::Kind::map) node.source = source;
    auto& child = node.member(name);
    auto child_row = member_path(row, name);
    if (child_row.empty()) child_row = row + "." + name;
    return locate(child, child_row, path.subspan(1), source, place);
}

void keep_only_driver(YamlNode& root, std::string_view driver) {
    auto* storage = root.find("storage");
    for (const auto name : storage_drivers()) {
        if (storage != nullptr && name != driver) storage->erase(name);
    }
}

void set_sources(YamlNode& node, const std::string& source) {
    node.source = source;
    for (auto& child : node.children)
        set_sources(child, source);
}

void apply(const std::string& name, const std::string& text, YamlNode& root, Findings& findings) {
    const auto path = split(std::string_view(name).substr(kPrefix.size()));
    if (same(path.front(), "version")) {
        findings.warnings.push_back(name + ": the version cannot be set; ignored");
        return;
    }
    auto changed = root;
    YamlNode* place = nullptr;
    switch (locate(changed, "", path, name, place)) {
        case Outcome::unknown:
            findings.warnings.push_back(name + ": names no key of the configuration; ignored");
            return;
        case Outcome::past_the_end:
            findings.problems.push_back(name + ": the number is past the end of the list");
            return;
        case Outcome::found:
            break;
    }
    // Only now: a variable that is not meant for this program need not be YAML.
    auto value = parse_yaml(name, text);
    if (!value) {
        findings.problems.push_back(value.error().detail);
        return;
    }
    set_sources(*value, name);
    value->key = place->key;
    *place = std::move(*value);
    root = std::move(changed);
    expand_short_sections(root);
    const auto drivers = storage_drivers();
    if (path.size() > 1 && same(path[0], "storage")) {
        const auto driver = lower_case(path[1]);
        if (std::ranges::count(drivers, driver) > 0) keep_only_driver(root, driver);
    }
}

}  // namespace

void expand_short_sections(YamlNode& root) {
    for (const auto* section : {"storage", "auth"}) {
        auto* node = root.find(section);
        if (node == nullptr || node->kind != YamlNode::Kind::scalar || node->text.empty()) continue;
        const auto name = std::exchange(node->text, {});
        node->member(name);
    }
}

void apply_environment(const std::map<std::string, std::string>& environment, YamlNode& root,
                       Findings& findings) {
    expand_short_sections(root);
    for (const auto& [name, text] : environment) {
        if (!name.starts_with(kPrefix) || name.size() == kPrefix.size()) continue;
        if (name == "REGISTRY_CONFIGURATION_PATH") continue;
        apply(name, text, root, findings);
    }
    const auto old = environment.find("HTTP_SECRET");
    const auto* http = root.find("http");
    if (old == environment.end() || (http != nullptr && http->find("secret") != nullptr)) return;
    auto& secret = root.member("http").member("secret");
    secret.kind = YamlNode::Kind::scalar;
    secret.text = old->second;
    secret.source = old->first;
    findings.warnings.push_back("HTTP_SECRET: read as REGISTRY_HTTP_SECRET; write that instead");
}

}  // namespace berth::app
