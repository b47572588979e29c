#include <memory>

#include "auth/token/signing_keys.h"
#include "base/encoding.h"
#include "cli/commands.h"
#include "cli/terminal.h"

namespace berth::cli {

namespace {

struct Arguments {
    std::string id;
    std::string algorithm;
    std::string folder;
    std::string config;
};

// The folder, and the algorithm of a key that is made.
struct Keys {
    std::string folder;
    std::string algorithm;
};

Result<Keys> keys_of(const Arguments& arguments) {
    auth::IssuerOptions issuer;
    if (arguments.folder.empty()) {
        BERTH_TRY(const auto config,
                  command_config(arguments.config, app::NamedFiles::may_be_missing));
        issuer = config.auth.issuer.value_or(auth::IssuerOptions{});
    } else {
        issuer.keys = arguments.folder;
    }
    if (issuer.keys.empty()) {
        return fail(Errc::invalid,
                    "the configuration has no folder of keys (auth.issuer.keys): name one by "
                    "--keys");
    }
    if (!arguments.algorithm.empty()) issuer.algorithm = arguments.algorithm;
    return Keys{issuer.keys, issuer.algorithm};
}

Result<void> list(const Arguments& arguments) {
    BERTH_TRY(const Keys keys, keys_of(arguments));
    BERTH_TRY(const auto files, auth::list_keys(keys.folder));
    for (std::size_t i = 0; i < files.size(); ++i) {
        print(files[i].key.id() + "  " + std::string(files[i].key.algorithm()) + "  " +
              format_rfc3339(files[i].changed) + (i == 0 ? "  signs" : ""));
    }
    return {};
}

Result<void> rotate(const Arguments& arguments) {
    BERTH_TRY(const Keys keys, keys_of(arguments));
    BERTH_TRY(const std::string id, auth::rotate_keys(keys.folder, keys.algorithm));
    print(id);
    return {};
}

Result<void> remove(const Arguments& arguments) {
    BERTH_TRY(const Keys keys, keys_of(arguments));
    BERTH_CHECK(auth::remove_key(keys.folder, arguments.id));
    print("what " + arguments.id + " signed is void");
    return {};
}

CLI::App* add_command(CLI::App& keys, const char* name, const char* description, Run& run,
                      const std::shared_ptr<Arguments>& arguments,
                      Result<void> (*action)(const Arguments&)) {
    auto* command = keys.add_subcommand(name, description);
    command->add_option("--keys", arguments->folder, "the folder (default: as configured)");
    add_config_option(*command, arguments->config);
    command->callback(
        [arguments, action, &run] { run = [arguments, action] { return action(*arguments); }; });
    return command;
}

}  // namespace

void add_keys(CLI::App& app, Run& run) {
    auto* keys = app.add_subcommand("keys", "the keys that sign the tokens Berth issues");
    keys->require_subcommand(1);
    keys->footer(
        "The newest key signs, all verify. A running server notices a change within two seconds.\n"
        "To replace a key: rotate, wait until what it signed has ended (the longest-lived are\n"
        "refresh tokens, auth.issuer.refreshlifetime), remove it. To void what it signed, remove\n"
        "it at once.");
    const auto arguments = std::make_shared<Arguments>();
    add_command(*keys, "list", "print the keys, the newest first", run, arguments, list);
    add_command(*keys, "rotate", "make a new key and print its name", run, arguments, rotate)
        ->add_option("--algorithm", arguments->algorithm,
                     "ES256, RS256 or EdDSA (default: as configured)");
    add_command(*keys, "remove", "remove a key", run, arguments, remove)
        ->add_option("KEY", arguments->id, "its name")
        ->required();
}

}  // namespace berth::cli
