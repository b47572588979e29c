#include "cli/cli.h"

#include <algorithm>
#include <exception>
#include <iostream>

#include "cli/commands.h"
#include "cli/original.h"

namespace berth::cli {

namespace {

constexpr const char* kExamples = R"(Examples:
  berth serve                              try it: 127.0.0.1:5000, data in ./berth-data
  berth serve /etc/berth/config.yml        registry:2's config.yml works as it is
  berth config check /etc/berth/config.yml
  berth user add alice                     asks for the password
  berth ls
  berth inspect team/app:1.0
  berth policy explain alice push team/app:1.0
  berth import docker://old.example.org    also another root, an OCI layout, a docker save
  berth export                             back to registry:2; also OCI layouts and bundles
  berth token create --robot ci --allow 'pull,push:team/**'

Manual: docs/ of the source tree)";

void add_commands(CLI::App& app, Run& run) {
    // At most one: an unknown word is then named, rather than a command missed.
    app.require_subcommand(0, 1);
    app.set_version_flag("--version", std::string("berth ") + BERTH_VERSION);
    app.footer(kExamples);
    add_serve(app, run);
    add_config(app, run);
    add_user(app, run);
    add_listings(app, run);
    add_inspect(app, run);
    add_policy(app, run);
    add_migrate(app, run);
    add_token(app, run);
    add_keys(app, run);
    add_audit(app, run);
    add_events(app, run);
    add_import(app, run);
    add_export(app, run);
    add_fsck(app, run);
    add_manual(app, run);
    add_completion(app, run);
    add_garbage_collect(app, run);
}

}  // namespace

int run(int argc, char** argv) {
    CLI::App app("Berth: a private registry for container images", "berth");
    Run chosen;
    add_commands(app, chosen);
    std::vector<std::string> arguments(argv + 1, argv + argc);
    if (called_as_original(argv[0])) arguments = from_original(std::move(arguments));
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    try {
        app.parse(std::move(arguments));
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (!chosen) {
        std::cerr << app.help();
        return 2;
    }
    try {
        const auto done = chosen();
        if (done) return 0;
        std::cerr << "berth: " << done.error().detail << '\n';
    } catch (const std::exception& error) {
        std::cerr << "berth: " << error.what() << '\n';
    }
    return 1;
}

}  // namespace berth::cli
