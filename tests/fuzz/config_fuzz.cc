// The configuration: a YAML document, and behind a line `===` variables as NAME=VALUE lines.
#include <algorithm>

#include "app/config_load.h"
#include "fuzz/fuzz.h"

using namespace berth;

namespace {

constexpr std::string_view kSeparator = "\n===\n";

app::Environment variables(std::string_view text) {
    app::Environment environment;
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const auto equals = line.find('=');
        if (equals == std::string_view::npos) continue;
        environment.emplace(line.substr(0, equals), line.substr(equals + 1));
    }
    return environment;
}

app::Environment::const_iterator source_of(const app::Environment& environment,
                                           std::string_view line) {
    return std::ranges::find_if(
        environment, [&](const auto& variable) { return line.starts_with(variable.first); });
}

void check_lines(std::string_view text, const app::Environment& environment) {
    fuzz::must(!text.empty(), "a refusal says why");
    const auto line = text.substr(0, text.find('\n'));
    fuzz::must(line.starts_with("c.yml") || source_of(environment, line) != environment.end(),
               "a problem names the file or the variable");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    const auto end = text.find(kSeparator);
    const auto environment = end == std::string_view::npos
                                 ? app::Environment{}
                                 : variables(text.substr(end + kSeparator.size()));
    const auto config = app::parse_config("c.yml", text.substr(0, end), environment,
                                          app::NamedFiles::may_be_missing);
    if (!config) {
        check_lines(config.error().detail, environment);
        return 0;
    }
    static_cast<void>(app::print_json(config->effective));
    const auto printed = app::print_yaml(config->effective);
    const auto again = app::parse_config("printed", printed, {}, app::NamedFiles::may_be_missing);
    fuzz::must(again.has_value(), "what is printed can be read back");
    fuzz::must(app::same_values(again->effective, config->effective), "and means the same");
    return 0;
}
