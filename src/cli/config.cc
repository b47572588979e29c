#include <iostream>
#include <memory>

#include "app/config_load.h"
#include "cli/policy_commands.h"
#include "cli/terminal.h"

namespace berth::cli {

namespace {

Result<void> check(const std::string& path) {
    BERTH_TRY(const auto config, command_config(path));
    for (const auto& warning : config.warnings)
        std::cerr << "warning: " << warning << '\n';
    for (const auto& [rule, text] : lint_policy(config, SystemClock().now()))
        std::cerr << "warning: policy '" << rule << "': " << text << '\n';
    print("the configuration is good");
    return {};
}

Result<void> print_effective(const std::string& path) {
    BERTH_TRY(const auto config, command_config(path));
    std::cout << app::print_yaml(config.effective);
    return {};
}

void add_command(CLI::App& config, const char* name, const char* description, Run& run,
                 Result<void> (*action)(const std::string&)) {
    const auto path = std::make_shared<std::string>();
    auto* command = config.add_subcommand(name, description);
    command->add_option("FILE,--config", *path, "the configuration, registry:2's config.yml");
    command->callback([path, action, &run] { run = [path, action] { return action(*path); }; });
}

}  // namespace

void add_config_option(CLI::App& command, std::string& path) {
    command.add_option("--config", path,
                       "the configuration (default: $REGISTRY_CONFIGURATION_PATH, "
                       "/etc/berth/config.yml, /etc/docker/registry/config.yml)");
}

Result<app::Config> command_config(const std::string& path, app::NamedFiles files) {
    const auto environment = app::process_environment();
    const auto found = path.empty() ? app::find_config(environment) : path;
    return found.empty() ? app::default_config(environment, files)
                         : app::load_config(found, environment, files);
}

void add_config(CLI::App& app, Run& run) {
    auto* config = app.add_subcommand("config", "check or print the configuration");
    config->require_subcommand(1);
    add_command(*config, "check", "say what is wrong with it, by file, line and key", run, check);
    add_command(*config, "print", "print what is in force, secrets hidden", run, print_effective);
}

}  // namespace berth::cli
