#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/stores.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "registry/fsck.h"
#include "store/index/sqlite_index.h"

namespace berth::cli {

namespace {

using nlohmann::json;
using store::Finding;

// An upload of the original that is younger may still go on.
constexpr auto kUploadAge = std::chrono::hours(7 * 24);
// Of a group, for people; --json has all.
constexpr std::size_t kShownMax = 50;

struct Arguments {
    std::string config;
    bool as_json = false;
    bool digests = false;
    bool repair = false;
};

// What fsck looks at: without a lock, and without making anything that is not there.
struct Root {
    std::unique_ptr<io::Directory> directory;
    std::unique_ptr<store::BlobStore> blobs;
    std::unique_ptr<store::Index> index;  // null: there is none yet
};

Result<Root> open_root(const app::StorageConfig& storage, const Clock& clock) {
    if (storage.in_memory) {
        return fail(Errc::unsupported,
                    "this configuration keeps everything in the server's memory: there are no "
                    "files to check");
    }
    Root root;
    BERTH_TRY(root.directory, io::open_existing_directory(storage.root));
    root.blobs = store::make_file_blob_store(*root.directory, clock, {});
    const std::string path = storage.root + "/" + app::kIndexPath;
    std::error_code error;
    if (std::filesystem::exists(path, error)) {
        BERTH_TRY(root.index, store::open_sqlite_index({.path = path}, clock));
    }
    return root;
}

void print_group(const std::string& title, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    print("");
    print(bold(title + " (" + std::to_string(lines.size()) + ")"));
    for (std::size_t i = 0; i < std::min(lines.size(), kShownMax); ++i)
        print("  " + plain_text(lines[i]));
    if (lines.size() > kShownMax)
        print("  and " + std::to_string(lines.size() - kShownMax) + " more: --json lists them all");
}

void print_findings(const std::string& title, const std::vector<Finding>& findings) {
    std::map<std::string, std::vector<std::string>> groups;
    for (const auto& finding : findings)
        groups[finding.kind].push_back(finding.path + ": " + finding.detail);
    for (const auto& [kind, lines] : groups)
        print_group(title + kind, lines);
}

void print_report(const registry::FsckReport& report, const std::vector<std::string>& removed) {
    print("Checked " + std::to_string(report.blobs) + " blobs, " + human_size(report.bytes));
    print_findings("", report.findings);
    print_findings("registry:2's links, left out when it was taken over: ", report.left_out);
    print_group("removed", removed);
    if (report.orphans.empty() && report.uploads.empty()) return;
    print("");
    if (!report.orphans.empty()) {
        std::uint64_t bytes = 0;
        for (const auto& orphan : report.orphans)
            bytes += orphan.size;
        print("Nothing names " + std::to_string(report.orphans.size()) + " blobs, " +
              human_size(bytes) + ": they do no harm. --json lists them");
    }
    if (!report.uploads.empty()) {
        std::uint64_t bytes = 0;
        for (const auto& upload : report.uploads)
            bytes += upload.size;
        print("registry:2 has left " + std::to_string(report.uploads.size()) +
              " uploads that never ended, " + human_size(bytes) +
              ": --repair removes those that are older than a week");
    }
}

json to_json(const std::vector<Finding>& findings) {
    auto list = json::array();
    for (const auto& [kind, path, detail] : findings)
        list.push_back({{"kind", kind}, {"path", path}, {"detail", detail}});
    return list;
}

json to_json(const registry::FsckReport& report, const std::vector<std::string>& removed) {
    json out{{"checked", {{"blobs", report.blobs}, {"bytes", report.bytes}}},
             {"findings", to_json(report.findings)},
             {"leftOut", to_json(report.left_out)},
             {"orphanedBlobs", json::array()},
             {"orphanedUploads", json::array()},
             {"removed", removed}};
    for (const auto& [digest, size] : report.orphans)
        out["orphanedBlobs"].push_back({{"digest", digest.text()}, {"size", size}});
    for (const auto& upload : report.uploads) {
        out["orphanedUploads"].push_back({{"path", upload.path},
                                          {"size", upload.size},
                                          {"updated", human_time(upload.updated_at)}});
    }
    return out;
}

Result<io::DirectoryLock> lock(const std::string& root) {
    auto lock =
        io::DirectoryLock::acquire(root, app::kLockPath, "process " + std::to_string(getpid()));
    if (!lock && lock.error().code == Errc::conflict) {
        return fail(Errc::conflict, "a server uses " + root + " (" + lock.error().detail +
                                        "): stop it before --repair");
    }
    return lock;
}

Result<registry::FsckReport> check(const Arguments& arguments, const Root& root,
                                   const Clock& clock) {
    Progress progress(clock, true);
    registry::FsckOptions options;
    options.digests = arguments.digests;
    options.on_progress = [&](std::uint64_t blobs, std::uint64_t bytes) {
        if (!progress.due()) return;
        progress.say("checked " + std::to_string(blobs) + " blobs" +
                     (arguments.digests ? ", read " + human_size(bytes) : ""));
    };
    return registry::check(*root.directory, *root.blobs, root.index.get(), options);
}

Result<void> fsck(const Arguments& arguments) {
    const SystemClock clock;
    BERTH_TRY(const auto config, command_config(arguments.config));
    const auto& storage = config.storage;
    BERTH_TRY(const auto root, open_root(storage, clock));
    std::optional<io::DirectoryLock> held;
    if (arguments.repair) {
        BERTH_TRY(held, lock(storage.root));
    }
    const auto report = check(arguments, root, clock);
    if (!report) return std::unexpected(report.error());
    std::vector<std::string> removed;
    if (arguments.repair) {
        BERTH_TRY(removed, registry::repair(*root.directory, *report, clock.now() - kUploadAge));
    }
    if (arguments.as_json) {
        print(to_json(*report, removed).dump(2));
    } else {
        print_report(*report, removed);
    }
    if (report->findings.empty()) return {};
    return fail(Errc::corrupt, std::to_string(report->findings.size()) +
                                   (report->findings.size() == 1 ? " thing is" : " things are") +
                                   " damaged or missing");
}

}  // namespace

void add_fsck(CLI::App& app, Run& run) {
    const auto arguments = std::make_shared<Arguments>();
    auto* command = app.add_subcommand(
        "fsck", "check that all blobs are there and whole, also beside a running server");
    command->add_flag("--digests", arguments->digests, "read all blobs and compare their digests");
    command->add_flag(
        "--repair", arguments->repair,
        "remove empty and bad link files, and registry:2's uploads older than a week; "
        "no server may run");
    command->add_flag("--json", arguments->as_json, "print JSON");
    add_config_option(*command, arguments->config);
    command->footer("Exit code: 0 when all is well, 1 when something is damaged or missing.");
    command->callback([arguments, &run] { run = [arguments] { return fsck(*arguments); }; });
}

}  // namespace berth::cli
