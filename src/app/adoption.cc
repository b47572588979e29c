#include "app/adoption.h"

#include <memory>
#include <string>

namespace berth::app {

namespace {

// After a crash of the original there can be one for each image.
constexpr std::uint64_t kFindingsShown = 100;

// 1,234,567
std::string grouped(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (auto at = std::ssize(text) - 3; at > 0; at -= 3)
        text.insert(static_cast<std::size_t>(at), ",");
    return text;
}

void show_progress(Logger& log, const registry::AdoptionProgress& progress) {
    if (!progress.done) {
        log.write(LogLevel::info,
                  "taking over registry:2's data: " + grouped(progress.repositories) + " of " +
                      grouped(progress.repositories_total) + " repositories");
        return;
    }
    log.write(LogLevel::info, "registry:2's data is taken over: " + grouped(progress.repositories) +
                                  " repositories; new are " + grouped(progress.manifests) +
                                  " manifests, " + grouped(progress.tags) + " tags, " +
                                  grouped(progress.blobs) + " blobs");
    if (progress.findings == 0) return;
    log.write(LogLevel::warn,
              grouped(progress.findings) +
                  " things in registry:2's data are damaged and were left out: `berth fsck` lists "
                  "them all");
}

}  // namespace

registry::AdoptionOptions logged_adoption(Logger& log) {
    registry::AdoptionOptions options;
    options.on_progress = [&log](const auto& progress) { show_progress(log, progress); };
    options.on_finding = [&log, shown = std::make_shared<std::uint64_t>(0)](const auto& finding) {
        if (++*shown > kFindingsShown) return;
        log.write(LogLevel::warn, finding.detail,
                  {{"finding", finding.kind}, {"path", finding.path}});
    };
    options.on_error = [&log](const Error& error) {
        log.write(LogLevel::error, "registry:2's data cannot be taken over: " + error.detail +
                                       "; the rest of it is, and the next start tries again");
    };
    return options;
}

}  // namespace berth::app
