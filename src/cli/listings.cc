#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/stores.h"
#include "cli/commands.h"
#include "cli/terminal.h"

namespace berth::cli {

namespace {

using nlohmann::json;
using store::RepositoryName;

constexpr std::size_t kPageNames = 1000;

struct Arguments {
    std::string repository;
    std::string config;
    bool as_json = false;
};

using NextPage = std::function<Result<store::Page>(const std::string& last)>;

// All names of a paged listing, page by page.
Result<void> each_name(const NextPage& next_page,
                       const std::function<void(const std::string&)>& each) {
    std::string last;
    for (bool more = true; more;) {
        BERTH_TRY(const auto page, next_page(last));
        for (const auto& name : page.names)
            each(name);
        if (!page.names.empty()) last = page.names.back();
        more = page.more && !page.names.empty();
    }
    return {};
}

Result<void> print_names(const Arguments& arguments, const NextPage& next_page) {
    if (!arguments.as_json) return each_name(next_page, [](const auto& name) { print(name); });
    auto names = json::array();
    BERTH_CHECK(each_name(next_page, [&names](const auto& name) { names.push_back(name); }));
    print(names.dump(2));
    return {};
}

Result<void> list_repositories(const Arguments& arguments) {
    const SystemClock clock;
    BERTH_TRY(const auto config, command_config(arguments.config));
    BERTH_TRY(const auto stores, app::open_existing_stores(config, clock));
    return print_names(arguments, [&](const std::string& last) {
        return stores.index->repositories(last, kPageNames);
    });
}

Result<void> list_tags(const Arguments& arguments) {
    const SystemClock clock;
    BERTH_TRY(const auto config, command_config(arguments.config));
    BERTH_TRY(const auto name, RepositoryName::parse(arguments.repository));
    BERTH_TRY(const auto stores, app::open_existing_stores(config, clock));
    BERTH_TRY(const bool there, stores.index->has_repository(name));
    if (!there) return fail(Errc::not_found, "there is no repository " + name.text());
    return print_names(arguments, [&](const std::string& last) {
        return stores.index->tags(name, last, kPageNames);
    });
}

void add_command(CLI::App& command, const std::shared_ptr<Arguments>& arguments, Run& run,
                 Result<void> (*action)(const Arguments&)) {
    command.add_flag("--json", arguments->as_json, "print JSON");
    add_config_option(command, arguments->config);
    command.callback(
        [arguments, action, &run] { run = [arguments, action] { return action(*arguments); }; });
}

}  // namespace

void add_listings(CLI::App& app, Run& run) {
    auto* ls = app.add_subcommand("ls", "list the repositories");
    add_command(*ls, std::make_shared<Arguments>(), run, list_repositories);
    auto* tags = app.add_subcommand("tags", "list the tags of a repository");
    const auto arguments = std::make_shared<Arguments>();
    tags->add_option("REPO", arguments->repository)->required();
    add_command(*tags, arguments, run, list_tags);
}

}  // namespace berth::cli
