#include "transfer/import.h"

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/stores.h"
#include "cli/commands.h"
#include "cli/locked_stores.h"
#include "cli/progress.h"
#include "cli/remote_login.h"
#include "cli/terminal.h"
#include "transfer/open_source.h"

namespace berth::cli {

namespace {

using nlohmann::json;
using transfer::ImportTotals;

constexpr std::size_t kThreadsMax = 64;

struct Arguments {
    std::string source;
    std::vector<std::string> repositories;
    LoginArguments login;
    std::string ca;
    bool plain_http = false;
    bool keep_tags = false;
    std::size_t threads = 8;
    std::string config;
    bool as_json = false;
};

std::string progress_text(const ImportTotals& now) {
    return std::to_string(now.repositories) + " of " + std::to_string(now.repositories_total) +
           " repositories, " + std::to_string(now.manifests + now.manifests_present) +
           " manifests, " + std::to_string(now.blobs + now.blobs_present) + " blobs, " +
           human_size(now.bytes) + " brought in";
}

json to_json(const ImportTotals& totals, const std::vector<std::string>& problems) {
    return {{"repositories", totals.repositories},
            {"manifests", totals.manifests},
            {"manifestsPresent", totals.manifests_present},
            {"tags", totals.tags},
            {"tagsPresent", totals.tags_present},
            {"tagsKept", totals.tags_kept},
            {"blobs", totals.blobs},
            {"blobsPresent", totals.blobs_present},
            {"blobsShared", totals.blobs_shared},
            {"bytes", totals.bytes},
            {"problems", problems}};
}

void print_text(const ImportTotals& totals) {
    const auto line = [](std::uint64_t brought, const std::string& what, std::uint64_t present) {
        print(std::to_string(brought) + " " + what + " brought in, " + std::to_string(present) +
              " were there");
    };
    print(std::to_string(totals.repositories) + " repositories");
    line(totals.manifests, "manifests", totals.manifests_present);
    line(totals.tags, "tags", totals.tags_present);
    if (totals.tags_kept > 0) {
        print(std::to_string(totals.tags_kept) + " tags point elsewhere here, and were kept so");
    }
    line(totals.blobs, "blobs", totals.blobs_present);
    print(human_size(totals.bytes) + ", of " + std::to_string(totals.blobs_shared) +
          " blobs without a copy where the file system can share them");
}

// The source with the path that its links lead to; what has none stays as it is.
std::string without_links(const std::string& source) {
    const auto colon = source.find(':'), last_colon = source.rfind(':');
    const auto prefix = source.starts_with('/') || colon == source.npos ? 0 : colon + 1;
    const auto name = last_colon == source.npos ? source.size() : std::max(last_colon, prefix);
    using Part = std::pair<std::size_t, std::size_t>;
    for (const auto& [begin, end] :
         {Part{0, source.size()}, Part{prefix, source.size()}, Part{prefix, name}}) {
        std::error_code error;
        const auto path = std::filesystem::canonical(source.substr(begin, end - begin), error);
        if (!error) return source.substr(0, begin) + path.string() + source.substr(end);
    }
    return source;
}

Result<ImportTotals> bring_in(const Arguments& arguments, const Clock& clock, Progress& progress,
                              std::vector<std::string>& problems) {
    BERTH_TRY(const auto config, command_config(arguments.config));
    BERTH_TRY(const auto selection, transfer::Selection::parse(arguments.repositories));
    const auto report = [&](const std::string& text) {
        problems.push_back(text);
        progress.note("warning: " + text);
    };
    transfer::SourceOptions from{.report = report,
                                 .index_path = app::kIndexPath,
                                 .lock_path = app::kLockPath,
                                 .selection = selection,
                                 .ca = arguments.ca,
                                 .plain_http = arguments.plain_http};
    if (const auto host = transfer::remote_host(arguments.source); !host.empty()) {
        BERTH_TRY(from.login, find_login(arguments.login, host));
    }
    // First the source: one that cannot be opened must not make a registry.
    BERTH_TRY(const auto source,
              transfer::open_source(without_links(arguments.source), from, clock));
    BERTH_TRY(const auto locked, open_locked_stores(config, clock, progress));
    transfer::ImportOptions options{.selection = selection,
                                    .threads = arguments.threads,
                                    .keep_tags = arguments.keep_tags,
                                    .on_problem = report};
    options.on_progress = [&progress](const ImportTotals& now) {
        if (progress.due()) progress.say(progress_text(now));
    };
    const auto& stores = locked.stores;
    return transfer::import_images(*source, {*stores.registry, *stores.blobs, *stores.index},
                                   options);
}

Result<void> import(const Arguments& arguments) {
    const SystemClock clock;
    std::vector<std::string> problems;
    Result<ImportTotals> totals;
    {
        Progress progress(clock, !arguments.as_json);
        totals = bring_in(arguments, clock, progress, problems);
    }
    if (!totals && totals.error().code == Errc::unavailable) {
        return std::unexpected(std::move(totals.error())
                                   .with_context("broken off; run the same command again, and it "
                                                 "goes on where it was"));
    }
    if (!totals) return std::unexpected(std::move(totals.error()));
    if (arguments.as_json) {
        print(to_json(*totals, problems).dump(2));
    } else {
        print_text(*totals);
    }
    if (totals->failed == 0) return {};
    return fail(Errc::invalid, std::to_string(totals->failed) +
                                   " things could not be brought in: see the warnings above");
}

}  // namespace

void add_import(CLI::App& app, Run& run) {
    const auto arguments = std::make_shared<Arguments>();
    auto* command = app.add_subcommand(
        "import", "bring in images: another root, an OCI layout, a docker save, a registry");
    command
        ->add_option("SOURCE", arguments->source,
                     "registry:DIR, oci:PATH[:REPOSITORY], docker-archive:FILE[:REPOSITORY], "
                     "bundle:FILE, docker://HOST[/PREFIX], or just a path")
        ->required();
    command->add_option("--repository", arguments->repositories,
                        "only these: REPOSITORY, REPOSITORY:TAG or PREFIX/**; may be repeated");
    command->add_option("--user", arguments->login.user, "who logs in at the other registry");
    command->add_option("--password-file", arguments->login.password_file,
                        "a file with the password; - is standard input");
    command->add_option("--authfile", arguments->login.auth_file,
                        "docker's config.json with the login (default: docker's and podman's)");
    command->add_option("--ca", arguments->ca,
                        "PEM file of the authority that the other registry's certificate is from");
    command->add_flag("--plain-http", arguments->plain_http,
                      "the other registry speaks http without TLS");
    command->add_flag("--keep-tags", arguments->keep_tags,
                      "tags that point elsewhere in this registry stay as they are");
    command->add_option("--jobs", arguments->threads, "how much is done at once (default 8)")
        ->check(CLI::Range(std::size_t{1}, kThreadsMax));
    command->add_flag("--json", arguments->as_json, "print what was done as JSON");
    add_config_option(*command, arguments->config);
    command->callback([arguments, &run] { run = [arguments] { return import(*arguments); }; });
}

}  // namespace berth::cli
