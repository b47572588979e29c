#include "cli/original.h"

#include "app/config_load.h"

namespace berth::cli {

namespace {

std::string_view last_part(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

bool names_program(std::string_view word) {
    const auto name = last_part(word);
    return name == "registry" || name == "berth";
}

bool names_configuration(std::string_view word) {
    return word.ends_with(".yml") || word.ends_with(".yaml");
}

}  // namespace

bool called_as_original(std::string_view program) {
    return last_part(program) == "registry";
}

std::vector<std::string> from_original(std::vector<std::string> arguments) {
    if (!arguments.empty() && names_program(arguments.front())) arguments.erase(arguments.begin());
    if (arguments.empty()) return arguments;
    const auto first = arguments.front();
    if (names_configuration(first)) arguments.insert(arguments.begin(), "serve");
    if (first == "help") arguments.front() = "--help";
    if (first == "-v") arguments.front() = "--version";
    if (arguments.size() == 1 && first == "serve") {
        const auto found = app::find_config(app::process_environment());
        if (!found.empty()) arguments.push_back(found);
    }
    return arguments;
}

void add_garbage_collect(CLI::App& app, Run& run) {
    auto* command = app.add_subcommand("garbage-collect", "not served by this version");
    command->group("");
    command->allow_extras();
    command->callback([&run] {
        run = []() -> Result<void> {
            return fail(Errc::unsupported,
                        "this version does not collect garbage: what is deleted is no longer "
                        "served, but its bytes stay on the disk");
        };
    });
}

}  // namespace berth::cli
