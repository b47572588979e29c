#include <iostream>
#include <memory>

#include "app/config_load.h"
#include "app/server.h"
#include "cli/commands.h"
#include "cli/terminal.h"

namespace berth::cli {

namespace {

constexpr std::string_view kHttp = "http://";

// For somebody who has just started it for the first time.
void welcome(const std::vector<std::string>& addresses, const std::string& root) {
    std::string host = addresses.empty() ? "" : addresses.front();
    if (host.starts_with(kHttp)) host.erase(0, kHttp.size());
    print(bold("Berth serves on " + host + ", data in " + root) + R"(

Push an image to it from another terminal:

    docker pull debian:12                 (or any image you have)
    docker tag  debian:12 )" +
          host + R"(/debian:12
    docker push )" +
          host + R"(/debian:12

Nobody has to log in yet. To have users, and a rule of who may push:

    berth user add alice --file htpasswd  (asks for a password)
    see examples/ and docs/configure.md, then: berth serve config.yml
    docker login )" +
          host + R"(

Ctrl-C stops it.
)");
    std::cout << std::flush;
}

Result<void> serve(const std::string& argument) {
    const auto environment = app::process_environment();
    const auto variable = environment.find("REGISTRY_CONFIGURATION_PATH");
    const auto path =
        argument.empty() && variable != environment.end() ? variable->second : argument;
    if (!path.empty()) {
        BERTH_TRY(const auto config, app::load_config(path, environment));
        const auto read_again = [&path, &environment] {
            return app::load_config(path, environment);
        };
        return app::serve(config, read_again, [](const auto&) {});
    }
    BERTH_TRY(const auto config, app::load_config(path, environment));
    const auto& root = config.storage.root;
    return app::serve(config, nullptr,
                      [&root](const auto& addresses) { welcome(addresses, root); });
}

}  // namespace

void add_serve(CLI::App& app, Run& run) {
    const auto path = std::make_shared<std::string>();
    auto* command = app.add_subcommand("serve", "serve images until stopped");
    command->add_option("CONFIG", *path,
                        "registry:2's config.yml (default: $REGISTRY_CONFIGURATION_PATH, or else "
                        "127.0.0.1:5000 with data in ./berth-data)");
    command->callback([path, &run] { run = [path] { return serve(*path); }; });
}

}  // namespace berth::cli
