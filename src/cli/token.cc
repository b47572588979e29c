#include <algorithm>
#include <charconv>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/token_json.h"
#include "auth/token/access_tokens.h"
#include "base/encoding.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "io/directory.h"
#include "io/path.h"

namespace berth::cli {

namespace {

using auth::AccessToken;
using auth::AccessTokens;

constexpr const char* kDefaultExpiry = "90d";

struct Arguments {
    std::string user, robot;
    std::vector<std::string> allow;
    std::string expires = kDefaultExpiry;
    std::string description;
    std::vector<std::string> ids;
    std::string tokens;
    std::string config;
    bool as_json = false;
};

Result<std::string> tokens_path(const Arguments& arguments) {
    if (!arguments.tokens.empty()) return arguments.tokens;
    BERTH_TRY(const auto config, command_config(arguments.config, app::NamedFiles::may_be_missing));
    if (!config.auth.tokens_path.empty()) return config.auth.tokens_path;
    return fail(Errc::invalid, "the configuration has no access tokens: name a file by --tokens");
}

Result<std::unique_ptr<AccessTokens>> open_tokens(const std::string& path, const Clock& clock) {
    return AccessTokens::open(
        path, clock, [](const Error& error) { std::cerr << "warning: " << error.detail << '\n'; });
}

// The file's folder, which a registry that was never started does not have yet.
Result<void> make_folder(const std::string& path) {
    const std::string folder(io::folder_of(path));
    if (folder.empty()) return {};
    auto made = io::open_directory(folder);
    if (!made) return std::unexpected(std::move(made.error()));
    return {};
}

// `90d`: a number of hours, days, weeks or years.
std::optional<std::chrono::hours> parse_duration(std::string_view text) {
    constexpr int kNumberMax = 10'000;
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view unit(end, text.data() + text.size());
    if (error != std::errc() || number < 1 || number > kNumberMax) return std::nullopt;
    if (unit == "h") return std::chrono::hours(number);
    if (unit == "d") return std::chrono::days(number);
    if (unit == "w") return std::chrono::weeks(number);
    if (unit == "y") return std::chrono::days(365) * number;
    return std::nullopt;
}

Result<std::optional<Time>> parse_expiry(const std::string& text, Time now) {
    if (text == "never") return std::nullopt;
    if (const auto duration = parse_duration(text)) return now + *duration;
    if (const auto day = parse_rfc3339(text + "T00:00:00Z")) return day;
    if (const auto time = parse_rfc3339(text)) return time;
    return fail(Errc::invalid, "--expires " + text +
                                   " is neither a duration (12h, 90d, 1y), nor a date "
                                   "(2027-01-31), nor `never`");
}

// For a shell, whatever is in it.
std::string quoted(const std::string& text) {
    const bool plain = std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("-_.@").find(c) != std::string_view::npos;
    });
    if (plain) return text;
    std::string out = "'";
    for (const char c : text)
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

Result<void> create(const Arguments& arguments) {
    const SystemClock clock;
    AccessToken wanted;
    wanted.kind =
        arguments.robot.empty() ? auth::Identity::Kind::user : auth::Identity::Kind::robot;
    wanted.name = arguments.robot.empty() ? arguments.user : arguments.robot;
    wanted.allow = arguments.allow;
    wanted.description = arguments.description;
    wanted.created_by = "command line";
    BERTH_TRY(wanted.expires, parse_expiry(arguments.expires, clock.now()));
    BERTH_TRY(const auto path, tokens_path(arguments));
    BERTH_TRY(const auto tokens, open_tokens(path, clock));
    BERTH_CHECK(make_folder(path));
    BERTH_TRY(const auto created, tokens->create(std::move(wanted)));
    if (arguments.as_json) {
        print(api::token_json(created).dump(2));
        return {};
    }
    // The secret alone goes to standard output, so that a script can keep it.
    print(created.secret);
    const auto& token = created.token;
    std::cerr << "This is shown only now: token " << token.id << " of the "
              << auth::name_of(token.kind) << ' ' << token.name << ", valid until "
              << (token.expires ? human_time(*token.expires) : "it is revoked") << ".\n"
              << "It is the password of:  docker login -u " << quoted(token.name) << " REGISTRY\n";
    return {};
}

Result<void> list(const Arguments& arguments) {
    const SystemClock clock;
    BERTH_TRY(const auto path, tokens_path(arguments));
    BERTH_TRY(const auto tokens, open_tokens(path, clock));
    BERTH_TRY(const auto all, tokens->list());
    const Time now = clock.now();
    if (arguments.as_json) {
        auto json = nlohmann::ordered_json::array();
        for (const auto& token : all)
            json.push_back(api::token_json(token, now));
        print(json.dump(2));
        return {};
    }
    Table table({"ID", "OWNER", "KIND", "ALLOW", "CREATED", "EXPIRES", "LAST USED", "DESCRIPTION"});
    for (const auto& token : all) {
        const std::string expires = token.expires ? human_time(*token.expires) : "never";
        table.add({token.id, token.name, std::string(auth::name_of(token.kind)),
                   token.allow.empty() ? "no limit" : join(token.allow, " "),
                   human_time(token.created), token.expired(now) ? "expired " + expires : expires,
                   token.last_used ? human_time(*token.last_used) : "never", token.description});
    }
    table.print();
    return {};
}

Result<void> revoke(const Arguments& arguments) {
    if (arguments.ids.empty() == arguments.user.empty()) {
        return fail(Errc::invalid, "name the IDs of access tokens, or a --user");
    }
    const SystemClock clock;
    BERTH_TRY(const auto path, tokens_path(arguments));
    BERTH_TRY(const auto tokens, open_tokens(path, clock));
    if (!arguments.user.empty()) {
        BERTH_CHECK(tokens->revoke_issued(arguments.user));
        print("whatever the token service issued to " + arguments.user + " until now is void");
        return {};
    }
    for (const auto& id : arguments.ids) {
        auto done = tokens->revoke(id);
        if (!done) return std::unexpected(std::move(done.error()).with_context(id));
        print(id + " is revoked");
    }
    return {};
}

using Action = Result<void> (*)(const Arguments&);

CLI::App& add_command(CLI::App& token, const char* name, const char* description,
                      const std::shared_ptr<Arguments>& arguments, Run& run, Action action) {
    auto* command = token.add_subcommand(name, description);
    command->add_option("--tokens", arguments->tokens,
                        "the file of access tokens (default: as configured)");
    add_config_option(*command, arguments->config);
    command->callback(
        [arguments, action, &run] { run = [arguments, action] { return action(*arguments); }; });
    return *command;
}

void add_create(CLI::App& token, Run& run) {
    const auto arguments = std::make_shared<Arguments>();
    CLI::App& command =
        add_command(token, "create", "make a token, and show its secret", arguments, run, create);
    auto* holder = command.add_option_group("holder");
    holder->add_option("--user", arguments->user, "a person, who may do with it what they may");
    holder->add_option("--robot", arguments->robot, "a machine; rules call it robot:NAME");
    holder->require_option(1);
    command.add_option(
        "--allow", arguments->allow,
        "what it is limited to: ACTIONS:REPOSITORIES, as 'pull,push:team/**'; may be "
        "repeated (default: all that its holder may)");
    command.add_option("--expires", arguments->expires, "12h, 90d, 1y, 2027-01-31 or never")
        ->capture_default_str();
    command.add_option("--description", arguments->description, "for the list");
    command.add_flag("--json", arguments->as_json, "print JSON");
}

}  // namespace

void add_token(CLI::App& app, Run& run) {
    auto* token = app.add_subcommand("token", "access tokens of users and robots");
    token->require_subcommand(1);
    token->footer(
        "A token is a password of its own, with limits and an end. Only a hash of it is kept. A "
        "running server notices changes by itself.");
    add_create(*token, run);
    const auto listing = std::make_shared<Arguments>();
    add_command(*token, "list", "print them, never their secrets", listing, run, list)
        .add_flag("--json", listing->as_json, "print JSON");
    const auto revoking = std::make_shared<Arguments>();
    CLI::App& command =
        add_command(*token, "revoke", "make tokens void at once", revoking, run, revoke);
    command.add_option("ID", revoking->ids, "access tokens, as `berth token list` calls them");
    command.add_option("--user", revoking->user,
                       "instead: whatever the token service issued to this user until now");
}

}  // namespace berth::cli
