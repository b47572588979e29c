#include "app/yaml_node.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

namespace berth::app {

namespace {

constexpr std::size_t kNodesMax = 20'000;
constexpr std::size_t kDepthMax = 64;

class Converter {
  public:
    explicit Converter(const std::string& name) : name_(name) {}

    Result<YamlNode> convert(const YAML::Node& from, std::size_t depth);

  private:
    Result<void> add_members(const YAML::Node& from, std::size_t depth, YamlNode& to);
    Result<void> merge(const YAML::Node& from, std::size_t depth, YamlNode& to);
    std::string source(const YAML::Mark& mark) const {
        return mark.is_null() ? name_ : name_ + ":" + std::to_string(mark.line + 1);
    }

    const std::string& name_;
    std::size_t count_ = 0;
};

Result<YamlNode> Converter::convert(const YAML::Node& from, std::size_t depth) {
    YamlNode to;
    to.source = source(from.Mark());
    if (depth > kDepthMax) return fail(Errc::invalid, to.source + ": nested too deep");
    if (++count_ > kNodesMax) return fail(Errc::invalid, to.source + ": too many values");
    switch (from.Type()) {
        case YAML::NodeType::Undefined:
        case YAML::NodeType::Null:
            return to;
        case YAML::NodeType::Scalar:
            to.kind = YamlNode::Kind::scalar;
            to.text = from.Scalar();
            return to;
        case YAML::NodeType::Sequence:
            to.kind = YamlNode::Kind::list;
            for (const auto& item : from) {
                BERTH_TRY(auto child, convert(item, depth + 1));
                to.children.push_back(std::move(child));
            }
            return to;
        case YAML::NodeType::Map:
            to.kind = YamlNode::Kind::map;
            BERTH_CHECK(add_members(from, depth, to));
            return to;
    }
    return to;
}

Result<void> Converter::add_members(const YAML::Node& from, std::size_t depth, YamlNode& to) {
    std::vector<YAML::Node> merges;
    for (const auto& entry : from) {
        const auto where = source(entry.first.Mark());
        if (!entry.first.IsScalar()) return fail(Errc::invalid, where + ": a key must be a word");
        const auto& key = entry.first.Scalar();
        if (key == "<<") {
            merges.push_back(entry.second);
            continue;
        }
        if (to.find(key) != nullptr) {
            return fail(Errc::invalid, where + ": " + key + ": stands here twice");
        }
        BERTH_TRY(auto child, convert(entry.second, depth + 1));
        child.key = key;
        child.source = where;
        to.children.push_back(std::move(child));
    }
    for (const auto& node : merges)
        BERTH_CHECK(merge(node, depth, to));
    return {};
}

// What stands in the map itself wins over what is merged into it.
Result<void> Converter::merge(const YAML::Node& from, std::size_t depth, YamlNode& to) {
    BERTH_TRY(auto merged, convert(from, depth + 1));
    std::vector<YamlNode> maps;
    if (merged.kind == YamlNode::Kind::list) {
        maps = std::move(merged.children);
    } else {
        maps.push_back(std::move(merged));
    }
    for (auto& map : maps) {
        if (map.kind != YamlNode::Kind::map) {
            return fail(Errc::invalid, map.source + ": <<: only maps can be merged");
        }
        for (auto& child : map.children) {
            if (to.find(child.key) == nullptr) to.children.push_back(std::move(child));
        }
    }
    return {};
}

// Where documents begin.
class DocumentMarks final : public YAML::EventHandler {
  public:
    void OnDocumentStart(const YAML::Mark& mark) override { last = mark; }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
    void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
    void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  const std::string&) override {}
    void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {}
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {}
    void OnMapEnd() override {}

    YAML::Mark last;
};

// Where something stands behind the first document, which YAML::Load passes over in silence.
// YAML::LoadAll would see it, but never ends when a stray character begins a document.
std::optional<YAML::Mark> find_rest(const std::string& text) {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    DocumentMarks marks;
    if (!parser.HandleNextDocument(marks) || !parser.HandleNextDocument(marks)) return std::nullopt;
    return marks.last;
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view name) const {
    if (kind != Kind::map) return nullptr;
    const auto it = std::ranges::find(children, name, &YamlNode::key);
    return it == children.end() ? nullptr : &*it;
}

YamlNode* YamlNode::find(std::string_view name) {
    return const_cast<YamlNode*>(std::as_const(*this).find(name));
}

YamlNode& YamlNode::member(std::string_view name) {
    if (kind != Kind::map) {
        kind = Kind::map;
        text.clear();
        children.clear();
    }
    if (auto* found = find(name)) return *found;
    auto& made = children.emplace_back();
    made.key = name;
    made.source = source;
    return made;
}

void YamlNode::erase(std::string_view name) {
    std::erase_if(children, [&](const YamlNode& child) { return child.key == name; });
}

bool is_blank(const YamlNode& node) {
    return node.text.empty() && std::ranges::all_of(node.children, is_blank);
}

Result<YamlNode> parse_yaml(const std::string& name, const std::string& text) {
    if (text.size() > kYamlBytesMax) return fail(Errc::invalid, name + ": too long to be read");
    try {
        if (const auto rest = find_rest(text)) {
            return fail(Errc::invalid, name + ":" + std::to_string(rest->line + 1) +
                                           ": a second document or a stray character");
        }
        return Converter(name).convert(YAML::Load(text), 0);
    } catch (const YAML::Exception& e) {
        const auto line = e.mark.is_null() ? std::string() : ":" + std::to_string(e.mark.line + 1);
        return fail(Errc::invalid, name + line + ": not YAML: " + e.msg);
    }
}

}  // namespace berth::app
