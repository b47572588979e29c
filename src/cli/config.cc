#include <iostream>
#include <memory>

#include "app/config_load.h"
#include "cli/policy_commands.h"
#include "cli/terminal.h"

namespace berth::cli {

namespace {

// What `path` or its absence means to every command.
std::string named_or_found(const std::string& path) {
    return path.empty() ? app::find_config(app::process_environment()) : path;
}

Result<void> check(const std::string& path) {
    BERTH_TRY(const auto text, app::read_config_text(named_or_found(path)));
    const auto examined = app::examine_config(text, app::process_environment());
    for (const auto& warning : examined.config.warnings)
        std::cerr << "warning: " << warning << '\n';
    for (const auto& problem : examined.problems)
        std::cerr << "wrong: " << problem << '\n';
    if (!examined.problems.empty()) return fail(Errc::invalid, "the configuration is not good");
    for (const auto& [rule, said] : lint_policy(examined.config, SystemClock().now()))
        std::cerr << "warning: policy '" << rule << "': " << said << '\n';
    print("the configuration is good");
    return {};
}

Result<void> print_effective(const std::string& path, bool json) {
    BERTH_TRY(const auto config, command_config(path));
    std::cout << (json ? app::print_json(config.effective) : app::print_yaml(config.effective));
    return {};
}

CLI::App* add_command(CLI::App& config, const char* name, const char* description,
                      std::string& path) {
    auto* command = config.add_subcommand(name, description);
    command->add_option("FILE,--config", path, "the configuration, registry:2's config.yml");
    return command;
}

}  // namespace

void add_config_option(CLI::App& command, std::string& path) {
    command.add_option("--config", path,
                       "the configuration (default: $REGISTRY_CONFIGURATION_PATH, "
                       "/etc/berth/config.yml, /etc/docker/registry/config.yml)");
}

Result<app::Config> command_config(const std::string& path, app::NamedFiles files) {
    return app::load_config(named_or_found(path), app::process_environment(), files);
}

void add_config(CLI::App& app, Run& run) {
    auto* config = app.add_subcommand("config", "check or print the configuration");
    config->require_subcommand(1);
    const auto path = std::make_shared<std::string>();
    add_command(*config, "check", "say what is wrong with it, by file, line and key", *path)
        ->callback([path, &run] { run = [path] { return check(*path); }; });
    const auto json = std::make_shared<bool>(false);
    auto* print = add_command(*config, "print",
                              "print what is in force, and where each value comes "
                              "from; secrets are hidden",
                              *path);
    print->add_flag("--json", *json, "as a list of path, value and source");
    print->callback(
        [path, json, &run] { run = [path, json] { return print_effective(*path, *json); }; });
}

}  // namespace berth::cli
