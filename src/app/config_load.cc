#include "app/config_load.h"

#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <vector>

#include "app/config_check.h"
#include "app/env_override.h"
#include "base/text.h"

namespace berth::app {

namespace {

constexpr const char* kDefaultPaths[] = {"/etc/berth/config.yml", "/etc/distribution/config.yml",
                                         "/etc/docker/registry/config.yml"};
// Below $DISTRIBUTION_DIR: where images made of registry:2.0 keep theirs.
constexpr std::string_view kImagePath = "/cmd/registry/config.yml";

constexpr std::string_view kDefaultConfig = R"(version: 0.1
storage:
  filesystem: {rootdirectory: ./berth-data}
  delete: {enabled: true}
http: {addr: "127.0.0.1:5000"}
)";

// Reads a little more than may be parsed, so that what is too long is seen to be.
Result<std::string> read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail_errno(path, errno);
    std::string text(kYamlBytesMax + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return fail_errno(path, errno);
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

}  // namespace

Environment process_environment() {
    Environment environment;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const auto equals = text.find('=');
        if (equals == std::string_view::npos) continue;
        environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return environment;
}

Result<ConfigText> read_config_text(const std::string& path) {
    if (path.empty()) return ConfigText{"built-in configuration", std::string(kDefaultConfig)};
    BERTH_TRY(auto text, read_text(path));
    return ConfigText{path, std::move(text)};
}

ExaminedConfig examine_config(const ConfigText& text, const Environment& environment,
                              NamedFiles files) {
    ExaminedConfig examined;
    auto root = parse_yaml(text.name, text.yaml);
    if (!root) {
        examined.problems.push_back(root.error().detail);
        return examined;
    }
    Findings findings;
    apply_environment(environment, *root, findings);
    check_keys(*root, findings);
    if (root->kind == YamlNode::Kind::map) {
        examined.config = read_config(ConfigValue(&*root, {}, findings), files);
    }
    examined.config.warnings = std::move(findings.warnings);
    examined.config.effective = std::move(findings.effective);
    examined.problems = std::move(findings.problems);
    return examined;
}

Result<Config> parse_config(const std::string& name, std::string_view yaml,
                            const Environment& environment, NamedFiles files) {
    auto examined = examine_config({name, std::string(yaml)}, environment, files);
    if (!examined.problems.empty()) return fail(Errc::invalid, join(examined.problems, "\n"));
    return std::move(examined.config);
}

Result<Config> load_config(const std::string& path, const Environment& environment,
                           NamedFiles files) {
    BERTH_TRY(const auto text, read_config_text(path));
    return parse_config(text.name, text.yaml, environment, files);
}

std::string find_config(const Environment& environment) {
    const auto named = environment.find("REGISTRY_CONFIGURATION_PATH");
    if (named != environment.end() && !named->second.empty()) return named->second;
    const auto image = environment.find("DISTRIBUTION_DIR");
    if (image != environment.end()) {
        auto path = image->second + std::string(kImagePath);
        if (::access(path.c_str(), F_OK) == 0) return path;
    }
    for (const auto* path : kDefaultPaths) {
        if (::access(path, F_OK) == 0) return path;
    }
    return {};
}

}  // namespace berth::app
