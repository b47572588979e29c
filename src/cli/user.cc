#include <algorithm>
#include <memory>

#include "auth/password_file.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "io/directory.h"
#include "io/path.h"

namespace berth::cli {

namespace {

constexpr std::size_t kPasswordFileMax = 16 << 20;

struct Arguments {
    std::string name;
    std::string file;
    std::string config;
};

Result<std::string> password_path(const Arguments& arguments) {
    if (!arguments.file.empty()) return arguments.file;
    BERTH_TRY(const auto config, command_config(arguments.config, app::NamedFiles::may_be_missing));
    if (config.auth.htpasswd) return config.auth.htpasswd->path;
    return fail(Errc::invalid,
                "the configuration has no auth.htpasswd.path: add one, or name a file by --file");
}

// Empty when there is no such file yet.
Result<std::vector<auth::PasswordEntry>> entries(const std::string& path) {
    const auto folder = io::folder_of(path);
    auto directory = io::open_directory(path.starts_with('/') && folder.empty() ? "/"
                                        : folder.empty()                        ? "."
                                                                                : folder);
    if (!directory) return std::unexpected(std::move(directory.error()));
    auto text = io::read_file(**directory, io::last_component(path), kPasswordFileMax);
    if (!text && text.error().code == Errc::not_found) return std::vector<auth::PasswordEntry>();
    if (!text) return std::unexpected(std::move(text.error()).with_context(path));
    return auth::parse_password_file(*text);
}

Result<bool> exists(const std::string& path, const std::string& name) {
    BERTH_TRY(const auto all, entries(path));
    return std::any_of(all.begin(), all.end(),
                       [&name](const auto& entry) { return entry.user == name; });
}

Result<void> write_password(const std::string& path, const std::string& name) {
    BERTH_TRY(const auto password, read_new_password(name));
    BERTH_TRY(const auto hash, auth::hash_password(password));
    return auth::set_password(path, name, hash);
}

Result<void> add(const Arguments& arguments) {
    if (arguments.name.empty() || arguments.name.find(':') != std::string::npos) {
        return fail(Errc::invalid, "a user name may not be empty nor hold a colon");
    }
    BERTH_TRY(const auto path, password_path(arguments));
    BERTH_TRY(const bool there, exists(path, arguments.name));
    if (there) {
        return fail(Errc::already_exists, arguments.name + " is already in " + path +
                                              ": `berth user passwd` changes a password");
    }
    BERTH_CHECK(write_password(path, arguments.name));
    print(arguments.name + " is in " + path);
    return {};
}

Result<void> passwd(const Arguments& arguments) {
    BERTH_TRY(const auto path, password_path(arguments));
    BERTH_TRY(const bool there, exists(path, arguments.name));
    if (!there) return fail(Errc::not_found, arguments.name + " is not in " + path);
    BERTH_CHECK(write_password(path, arguments.name));
    print("the password of " + arguments.name + " is changed");
    return {};
}

Result<void> remove(const Arguments& arguments) {
    BERTH_TRY(const auto path, password_path(arguments));
    BERTH_TRY(const bool there, exists(path, arguments.name));
    if (!there) return fail(Errc::not_found, arguments.name + " is not in " + path);
    BERTH_CHECK(auth::remove_user(path, arguments.name));
    print(arguments.name + " is no longer in " + path);
    return {};
}

Result<void> list(const Arguments& arguments) {
    BERTH_TRY(const auto path, password_path(arguments));
    BERTH_TRY(const auto all, entries(path));
    for (const auto& entry : all)
        print(entry.user);
    return {};
}

enum class Name { needed, none };

void add_command(CLI::App& user, const char* name, const char* description, Name takes, Run& run,
                 Result<void> (*action)(const Arguments&)) {
    const auto arguments = std::make_shared<Arguments>();
    auto* command = user.add_subcommand(name, description);
    if (takes == Name::needed) command->add_option("NAME", arguments->name)->required();
    command->add_option("--file", arguments->file, "the htpasswd file (default: as configured)");
    add_config_option(*command, arguments->config);
    command->callback(
        [arguments, action, &run] { run = [arguments, action] { return action(*arguments); }; });
}

}  // namespace

void add_user(CLI::App& app, Run& run) {
    auto* user = app.add_subcommand("user", "the users of the htpasswd file");
    user->require_subcommand(1);
    user->footer(
        "Passwords are asked for, or read from standard input as one line; they are kept "
        "as bcrypt hashes. A running server notices the change by itself.");
    add_command(*user, "add", "add a user", Name::needed, run, add);
    add_command(*user, "passwd", "change a password", Name::needed, run, passwd);
    add_command(*user, "remove", "remove a user", Name::needed, run, remove);
    add_command(*user, "list", "print the names", Name::none, run, list);
}

}  // namespace berth::cli
