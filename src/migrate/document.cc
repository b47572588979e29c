#include "migrate/document.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>

namespace berth::migrate {

namespace {

constexpr std::size_t kBytesMax = 1 << 20;
constexpr std::size_t kValuesMax = 20'000;
constexpr std::size_t kDepthMax = 64;
constexpr std::size_t kFlowWidthMax = 80;

constexpr std::array<std::string_view, 6> kOrder{"version", "log",    "storage",
                                                 "auth",    "policy", "http"};

class Reader {
  public:
    explicit Reader(const std::string& name) : name_(name) {}

    Result<YamlValue> read(const YAML::Node& from, std::size_t depth) {
        YamlValue to;
        to.line = from.Mark().is_null() ? 0 : static_cast<std::size_t>(from.Mark().line) + 1;
        if (depth > kDepthMax || ++count_ > kValuesMax) {
            return fail(Errc::invalid, name_ + ": too deep or too many values");
        }
        if (from.IsScalar()) {
            to.kind = YamlValue::Kind::scalar;
            to.text = from.Scalar();
        } else if (from.IsSequence()) {
            to.kind = YamlValue::Kind::list;
            for (const auto& item : from) {
                BERTH_TRY(auto child, read(item, depth + 1));
                to.children.push_back(std::move(child));
            }
        } else if (from.IsMap()) {
            to.kind = YamlValue::Kind::map;
            BERTH_CHECK(read_members(from, depth, to));
        }
        return to;
    }

  private:
    // What stands in the map itself wins over what `<<` merges into it.
    Result<void> read_members(const YAML::Node& from, std::size_t depth, YamlValue& to) {
        std::vector<YamlValue> merged;
        for (const auto& entry : from) {
            if (!entry.first.IsScalar()) {
                return fail(Errc::invalid, name_ + ": a key must be a word");
            }
            BERTH_TRY(auto child, read(entry.second, depth + 1));
            child.key = entry.first.Scalar();
            child.line = static_cast<std::size_t>(entry.first.Mark().line) + 1;
            (child.key == "<<" ? merged : to.children).push_back(std::move(child));
        }
        for (auto& map : merged) {
            for (auto& child : map.children) {
                if (!child.key.empty() && !to.find(child.key)) {
                    to.children.push_back(std::move(child));
                }
            }
        }
        return {};
    }

    const std::string& name_;
    std::size_t count_ = 0;
};

bool is_short_list(const YamlValue& value) {
    std::size_t width = 0;
    for (const auto& item : value.children) {
        if (item.kind != YamlValue::Kind::scalar) return false;
        width += item.text.size() + 4;
    }
    return width <= kFlowWidthMax;
}

void emit(YAML::Emitter& out, const YamlValue& value) {
    switch (value.kind) {
        case YamlValue::Kind::null:
            out << YAML::Null;
            break;
        case YamlValue::Kind::scalar:
            out << value.text;
            break;
        case YamlValue::Kind::list:
            if (is_short_list(value)) out << YAML::Flow;
            out << YAML::BeginSeq;
            for (const auto& item : value.children)
                emit(out, item);
            out << YAML::EndSeq;
            break;
        case YamlValue::Kind::map:
            out << YAML::BeginMap;
            for (const auto& member : value.children) {
                out << YAML::Key << member.key << YAML::Value;
                emit(out, member);
            }
            out << YAML::EndMap;
            break;
    }
}

}  // namespace

const YamlValue* YamlValue::find(std::string_view name) const {
    if (kind != Kind::map) return nullptr;
    const auto it = std::ranges::find(children, name, &YamlValue::key);
    return it == children.end() ? nullptr : &*it;
}

YamlValue& YamlValue::member(std::string_view name) {
    if (kind != Kind::map) {
        kind = Kind::map;
        text.clear();
        children.clear();
    }
    const auto it = std::ranges::find(children, name, &YamlValue::key);
    if (it != children.end()) return *it;
    auto& made = children.emplace_back();
    made.key = name;
    return made;
}

void YamlValue::erase(std::string_view name) {
    std::erase_if(children, [&](const YamlValue& child) { return child.key == name; });
}

YamlValue YamlValue::of(std::string text) {
    YamlValue value;
    value.kind = Kind::scalar;
    value.text = std::move(text);
    return value;
}

YamlValue YamlValue::of(const std::vector<std::string>& items) {
    YamlValue value;
    value.kind = Kind::list;
    for (const auto& item : items)
        value.children.push_back(of(item));
    return value;
}

Result<Document> Document::parse(const std::string& name, const std::string& yaml) {
    if (yaml.size() > kBytesMax) return fail(Errc::invalid, name + ": too long to be read");
    Document document;
    try {
        BERTH_TRY(document.root_, Reader(name).read(YAML::Load(yaml), 0));
    } catch (const YAML::Exception& e) {
        const auto line = e.mark.is_null() ? std::string() : ":" + std::to_string(e.mark.line + 1);
        return fail(Errc::invalid, name + line + ": not YAML: " + e.msg);
    }
    if (document.root_.kind != YamlValue::Kind::map &&
        document.root_.kind != YamlValue::Kind::null) {
        return fail(Errc::invalid, name + ": this is no configuration");
    }
    return document;
}

YamlValue& Document::at(Path path) {
    YamlValue* value = &root_;
    for (const auto name : path)
        value = &value->member(name);
    return *value;
}

const YamlValue* Document::find(Path path) const {
    const YamlValue* value = &root_;
    for (const auto name : path) {
        value = value->find(name);
        if (!value) return nullptr;
    }
    return value;
}

void Document::put(Path path, YamlValue value) {
    auto& place = at(path);
    value.key = place.key;
    place = std::move(value);
}

std::string Document::write() const {
    auto ordered = root_;
    std::ranges::stable_sort(ordered.children, {}, [](const YamlValue& section) {
        return std::ranges::find(kOrder, section.key) - kOrder.begin();
    });
    YAML::Emitter out;
    emit(out, ordered);
    return std::string(out.c_str()) + "\n";
}

}  // namespace berth::migrate
