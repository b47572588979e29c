#include "app/effective.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <ranges>

#include "app/config_value.h"
#include "base/text.h"

namespace berth::app {

namespace {

// Behind longer lines the comment follows at once.
constexpr std::size_t kCommentColumnMost = 60;

struct Line {
    std::string text;
    std::string source;
};

// Values that belong together, however far apart they were read.
struct Branch {
    PathStep step;
    const EffectiveValue* value = nullptr;
    std::vector<Branch> children;
    std::map<std::string, std::size_t> places;  // of the children, by name

    Branch& child(const PathStep& of) {
        const auto [place, made] = places.emplace(of.name, children.size());
        if (made) children.emplace_back().step = of;
        return children[place->second];
    }
};

Branch make_tree(const std::vector<EffectiveValue>& values) {
    Branch root;
    for (const auto& value : values) {
        Branch* branch = &root;
        for (const auto& step : value.path)
            branch = &branch->child(step);
        branch->value = &value;
    }
    return root;
}

// Would a reader that guesses types take this text for something else?
bool looks_typed(const std::string& text) {
    return parse_bool(text) || text == "~" || lower_case(text) == "null" ||
           text.find_first_not_of("0123456789") == std::string::npos;
}

std::string quote(const std::string& text) {
    YAML::Emitter out;
    if (looks_typed(text)) out << YAML::DoubleQuoted;
    out << text;
    return out.c_str();
}

struct Scalar {
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(std::uint64_t value) const { return std::to_string(value); }
    std::string operator()(const std::string& value) const { return quote(value); }
    std::string operator()(Empty value) const { return value == Empty::list ? "[]" : "{}"; }
};

void add_lines(const Branch& branch, const std::string& indent, std::vector<Line>& lines) {
    for (const auto& child : branch.children) {
        const auto begin = child.step.item ? std::string("-") : quote(child.step.name) + ":";
        if (child.children.empty()) {
            lines.push_back({indent + begin + " " + std::visit(Scalar(), child.value->value),
                             child.value->source});
        } else if (child.step.item) {
            const auto first = lines.size();
            add_lines(child, indent + "  ", lines);
            lines[first].text[indent.size()] = '-';
        } else {
            lines.push_back({indent + begin, ""});
            add_lines(child, indent + "  ", lines);
        }
    }
}

struct JsonValue {
    nlohmann::ordered_json operator()(Empty value) const {
        return value == Empty::list ? nlohmann::ordered_json::array()
                                    : nlohmann::ordered_json::object();
    }
    nlohmann::ordered_json operator()(const auto& value) const { return value; }
};

}  // namespace

PathStep item_step(std::size_t place) {
    return {"[" + std::to_string(place) + "]", true};
}

ConfigPath joined(ConfigPath path, PathStep step) {
    path.push_back(std::move(step));
    return path;
}

std::string to_string(const ConfigPath& path) {
    std::string text;
    for (const auto& step : path)
        text += (text.empty() || step.item ? "" : ".") + step.name;
    return text;
}

bool same_values(const std::vector<EffectiveValue>& a, const std::vector<EffectiveValue>& b,
                 std::string_view but_for) {
    auto counts = [&](const EffectiveValue& of) { return of.path.front().name != but_for; };
    const auto same = [](const EffectiveValue& left, const EffectiveValue& right) {
        return left.path == right.path && left.value == right.value;
    };
    return std::ranges::equal(a | std::views::filter(counts), b | std::views::filter(counts), same);
}

std::string print_yaml(const std::vector<EffectiveValue>& values) {
    std::vector<Line> lines;
    add_lines(make_tree(values), "", lines);
    std::size_t column = 0;
    for (const auto& line : lines) {
        if (line.text.size() <= kCommentColumnMost && !line.source.empty())
            column = std::max(column, line.text.size());
    }
    std::string text;
    for (auto& line : lines) {
        if (!line.source.empty()) {
            line.text.resize(std::max(column, line.text.size()), ' ');
            line.text += "  # " + line.source;
        }
        text += line.text + "\n";
    }
    return text;
}

std::string print_json(const std::vector<EffectiveValue>& values) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& value : values) {
        list.push_back({{"path", to_string(value.path)},
                        {"value", std::visit(JsonValue(), value.value)},
                        {"source", value.source}});
    }
    using nlohmann::ordered_json;
    return list.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace berth::app
