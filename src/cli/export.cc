#include "transfer/export.h"

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/stores.h"
#include "cli/commands.h"
#include "cli/locked_stores.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "io/path.h"
#include "transfer/bundle.h"
#include "transfer/content_writer.h"

namespace berth::cli {

namespace {

using nlohmann::json;
using transfer::ExportTotals;

constexpr std::size_t kThreadsMax = 64;

struct Arguments {
    std::vector<std::string> images;
    std::string format = "registry";
    std::string to;
    std::string since;
    std::size_t threads = 8;
    std::string config;
    bool as_json = false;
};

transfer::ExportOptions options_of(const Arguments& arguments, Progress& progress) {
    transfer::ExportOptions options;
    options.threads = arguments.threads;
    options.on_progress = [&progress](const ExportTotals& now) {
        if (!progress.due()) return;
        progress.say(now.bytes_total == 0
                         ? std::to_string(now.repositories) + " repositories written"
                         : human_size(now.bytes) + " of " + human_size(now.bytes_total));
    };
    return options;
}

Result<ExportTotals> give_back(const Arguments& arguments, const app::Config& config,
                               const Clock& clock, Progress& progress) {
    if (!arguments.images.empty()) {
        return fail(
            Errc::invalid,
            "in place all images are given back: to choose some, name another root by --to");
    }
    BERTH_TRY(const auto locked, open_locked_stores(config, clock, progress));
    return transfer::export_in_place(*locked.stores.directory, *locked.stores.index,
                                     options_of(arguments, progress));
}

Result<ExportTotals> export_to_root(const Arguments& arguments, const transfer::ImageSet& set,
                                    const app::Stores& stores, const Clock& clock,
                                    const transfer::ExportOptions& options) {
    BERTH_TRY(const auto root, io::open_directory(arguments.to));
    if (root->open(app::kIndexPath)) {
        return fail(Errc::conflict, arguments.to +
                                        " is a root of Berth, which knows its images itself: bring "
                                        "them in there by berth import");
    }
    const auto blobs = store::make_file_blob_store(*root, clock, {});
    auto totals = transfer::export_root(set, *stores.blobs, *root, *blobs, options);
    // Where the blobs were on their way; the original has no use for it.
    static_cast<void>(root->remove("berth/uploads"));
    static_cast<void>(root->remove("berth"));
    return totals;
}

Result<std::set<oci::Digest>> since_of(const std::string& path) {
    std::error_code error;
    const auto whole = std::filesystem::canonical(path, error);
    if (error) return fail(Errc::not_found, "--since: there is no " + path);
    BERTH_TRY(const auto folder, io::open_existing_directory(whole.parent_path().string()));
    BERTH_TRY(std::shared_ptr<io::File> file, folder->open(whole.filename().string()));
    auto digests = transfer::read_since(std::move(file));
    if (!digests) return std::unexpected(std::move(digests.error()).with_context(path));
    return digests;
}

Result<ExportTotals> give_out(const Arguments& arguments, const app::Config& config,
                              const Clock& clock, Progress& progress) {
    if (arguments.to.empty()) {
        return fail(Errc::invalid, "--format " + arguments.format + " needs --to PATH");
    }
    BERTH_TRY(const auto selection, transfer::Selection::parse(arguments.images));
    BERTH_TRY(const auto stores, app::open_existing_stores(config, clock));
    BERTH_TRY(const auto set, transfer::choose_images(*stores.registry, *stores.index, selection));
    const auto options = options_of(arguments, progress);
    if (arguments.format == "registry")
        return export_to_root(arguments, set, stores, clock, options);
    if (arguments.format == "bundle") {
        std::set<oci::Digest> since;
        if (!arguments.since.empty()) {
            BERTH_TRY(since, since_of(arguments.since));
        }
        BERTH_TRY(const auto tar, transfer::write_tar(arguments.to));
        return transfer::export_bundle(set, *stores.blobs, since, *tar, options);
    }
    const bool is_tar = arguments.to.ends_with(".tar");
    BERTH_TRY(const auto writer,
              is_tar ? transfer::write_tar(arguments.to) : transfer::write_folder(arguments.to));
    return transfer::export_layout(set, *stores.blobs, *writer, options);
}

void print_json(const ExportTotals& totals) {
    print(json{{"repositories", totals.repositories},
               {"tags", totals.tags},
               {"manifests", totals.manifests},
               {"blobs", totals.blobs},
               {"bytes", totals.bytes},
               {"leftOut", totals.left_out},
               {"notServable", totals.not_servable}}
              .dump(2));
}

void print_text(const Arguments& arguments, const ExportTotals& totals, const std::string& root) {
    const bool in_place = arguments.format == "registry" && arguments.to.empty();
    print(std::to_string(totals.repositories) + " repositories, " + std::to_string(totals.tags) +
          " tags, " + std::to_string(totals.manifests) + " manifests, " +
          std::to_string(totals.blobs) + " blobs written to " + (in_place ? root : arguments.to));
    if (totals.left_out > 0) {
        print(std::to_string(totals.left_out) +
              " blobs are left out: the registry that imports this has them from before");
    }
    if (totals.not_servable > 0) {
        print(std::to_string(totals.not_servable) +
              " manifests have sha512 digests, which registry:2 does not serve");
    }
    if (in_place) {
        print(
            "registry:2 can be started on it now. When `berth serve` is started on it again, it "
            "takes over what registry:2 has by then.");
    }
}

Result<void> export_images(const Arguments& arguments) {
    if (!arguments.since.empty() && arguments.format != "bundle") {
        return fail(Errc::invalid, "--since is of --format bundle only");
    }
    const SystemClock clock;
    BERTH_TRY(const auto config, command_config(arguments.config));
    Result<ExportTotals> totals;
    {
        Progress progress(clock, !arguments.as_json);
        const bool in_place = arguments.format == "registry" && arguments.to.empty();
        totals = in_place ? give_back(arguments, config, clock, progress)
                          : give_out(arguments, config, clock, progress);
    }
    if (!totals) return std::unexpected(std::move(totals.error()));
    if (arguments.as_json) {
        print_json(*totals);
    } else {
        print_text(arguments, *totals, config.storage.root);
    }
    return {};
}

}  // namespace

void add_export(CLI::App& app, Run& run) {
    const auto arguments = std::make_shared<Arguments>();
    auto* command = app.add_subcommand(
        "export", "give images out: back to registry:2, as an OCI layout, as a bundle");
    command->add_option("IMAGE", arguments->images,
                        "REPOSITORY, REPOSITORY:TAG or PREFIX/** (default: all)");
    command
        ->add_option("--format", arguments->format,
                     "registry: link files of registry:2, in place unless there is --to; oci: an "
                     "OCI layout; bundle: one file for where no network reaches")
        ->check(CLI::IsMember({"registry", "oci", "bundle"}));
    command->add_option("--to", arguments->to,
                        "another root, the layout's folder or .tar, or the bundle's file");
    command->add_option("--since", arguments->since,
                        "an earlier bundle, or a file of digests: leave out the blobs it had");
    command->add_option("--jobs", arguments->threads, "how much is done at once (default 8)")
        ->check(CLI::Range(std::size_t{1}, kThreadsMax));
    command->add_flag("--json", arguments->as_json, "print what was done as JSON");
    add_config_option(*command, arguments->config);
    command->callback(
        [arguments, &run] { run = [arguments] { return export_images(*arguments); }; });
}

}  // namespace berth::cli
