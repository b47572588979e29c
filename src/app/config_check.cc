#include "app/config_check.h"

#include <algorithm>

#include "app/config_keys.h"
#include "base/nearest.h"

namespace berth::app {

namespace {

// Switched off: what such a section asks for need not be done.
bool is_off(const YamlNode& node) {
    const auto says = [&](std::string_view name, bool value) {
        const auto* flag = node.find(name);
        return flag != nullptr && parse_bool(flag->text) == value;
    };
    switch (node.kind) {
        case YamlNode::Kind::null:
            return true;
        case YamlNode::Kind::scalar:
            return node.text.empty() || parse_bool(node.text) == false;
        case YamlNode::Kind::list:
            return std::ranges::all_of(node.children, is_off);
        case YamlNode::Kind::map:
            return says("enabled", false) || says("disabled", true) ||
                   std::ranges::all_of(node.children, is_off);
    }
    return false;
}

class Checker {
  public:
    explicit Checker(Findings& findings) : findings_(findings) {}

    // `path` is the node's place, `row` as the table writes it.
    void check(const YamlNode& node, const ConfigPath& path, const std::string& row);

  private:
    void check_members(const YamlNode& node, const ConfigPath& path, const std::string& row);
    void unknown(const YamlNode& node, const ConfigPath& path, const std::string& row);

    Findings& findings_;
};

void Checker::check(const YamlNode& node, const ConfigPath& path, const std::string& row) {
    const auto* key = find_key(row);
    const ConfigValue value(&node, path, findings_);
    if (key != nullptr && !key->note.empty()) {
        // A driver's name alone chooses it.
        const bool driver = row.starts_with("storage.") || row == "auth.silly";
        const bool asked = driver || (!is_blank(node) && !is_off(node));
        if (key->state == KeyState::refused) {
            if (asked) value.wrong(key->note);
            return;
        }
        if (key->state == KeyState::warned && asked) value.warn(key->note);
    }
    if (node.kind == YamlNode::Kind::map) check_members(node, path, row);
    if (node.kind == YamlNode::Kind::list) {
        for (std::size_t i = 0; i < node.children.size(); ++i) {
            check(node.children[i], joined(path, item_step(i)), row + "[]");
        }
    }
}

void Checker::check_members(const YamlNode& node, const ConfigPath& path, const std::string& row) {
    // What has no members in the table has its value read elsewhere, or not at all.
    if (member_names(row).empty()) return;
    for (const auto& child : node.children) {
        const auto child_path = joined(path, {child.key});
        const auto child_row = member_path(row, child.key);
        if (child_row.empty()) {
            unknown(child, child_path, row);
        } else {
            check(child, child_path, child_row);
        }
    }
}

void Checker::unknown(const YamlNode& node, const ConfigPath& path, const std::string& row) {
    const ConfigValue value(&node, path, findings_);
    const auto names = member_names(row);
    if (const auto near = nearest(node.key, names); !near.empty()) {
        return value.wrong("unknown key; did you mean " + std::string(near) + "?");
    }
    std::string known;
    for (const auto name : names)
        known += (known.empty() ? "" : ", ") + std::string(name);
    value.wrong("unknown key; known here: " + known);
}

}  // namespace

void check_keys(const YamlNode& root, Findings& findings) {
    if (root.kind != YamlNode::Kind::map) {
        findings.problems.push_back(root.source + ": must be a map that begins with version: 0.1");
        return;
    }
    Checker(findings).check(root, {}, "");
}

}  // namespace berth::app
