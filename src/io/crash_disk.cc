#include "io/crash_disk.h"

#include <algorithm>
#include <set>

namespace berth::io {
namespace {

constexpr std::size_t kSectorBytes = 512;  // what a disk writes at one stroke

// true in `percent` of a hundred cases.
bool chance(Random& random, std::uint64_t percent) {
    return random() % 100 < percent;
}

}  // namespace

CrashDisk::CrashDisk() {
    add_node(0, true);
}

void CrashDisk::add_node(std::uint64_t node, bool is_directory) {
    nodes_[node].is_directory = is_directory;
}

void CrashDisk::write(std::uint64_t file, std::uint64_t offset, Bytes bytes) {
    data_journal_.push_back({file, offset, std::string(as_text(bytes)), false});
}

void CrashDisk::truncate(std::uint64_t file, std::uint64_t size) {
    data_journal_.push_back({file, size, {}, true});
}

void CrashDisk::change_entries(EntryChanges changes) {
    entry_journal_.push_back(std::move(changes));
}

void CrashDisk::sync_file(std::uint64_t file) {
    for (const auto& change : data_journal_) {
        if (change.file == file) apply(change);
    }
    std::erase_if(data_journal_, [file](const auto& change) { return change.file == file; });
}

void CrashDisk::sync_folder(std::uint64_t folder) {
    persist_entries([folder](const EntryChanges& changes) {
        return std::ranges::any_of(
            changes, [folder](const EntryChange& change) { return change.folder == folder; });
    });
}

void CrashDisk::sync_all() {
    for (const auto& change : data_journal_)
        apply(change);
    data_journal_.clear();
    persist_entries([](const EntryChanges&) { return true; });
}

void CrashDisk::cut_power(Random& random) {
    // Nothing and everything are cases of their own: by chance alone they would hardly come up.
    const auto kind = random() % 4;
    const std::uint64_t percent = kind == 0 ? 0 : kind == 1 ? 100 : 20 + random() % 61;
    for (const auto& change : data_journal_) {
        if (!chance(random, percent)) continue;
        if (percent < 100 && chance(random, 30)) {
            apply_torn(change, random);
        } else {
            apply(change);
        }
    }
    data_journal_.clear();
    persist_entries([&random, percent](const EntryChanges&) { return chance(random, percent); });
    entry_journal_.clear();
}

void CrashDisk::apply(const DataChange& change) {
    std::string& content = nodes_.at(change.file).content;
    if (change.is_truncation) {
        content.resize(change.offset);
        return;
    }
    const auto end = change.offset + change.bytes.size();
    if (content.size() < end) content.resize(end);  // what was lost in between reads as zeros
    content.replace(change.offset, change.bytes.size(), change.bytes);
}

// Some of the sectors, but the size as if all had been written: that is what delayed allocation
// leaves.
void CrashDisk::apply_torn(const DataChange& change, Random& random) {
    if (change.is_truncation) return;
    std::string& content = nodes_.at(change.file).content;
    const auto end = change.offset + change.bytes.size();
    if (content.size() < end && chance(random, 50)) content.resize(end);
    for (std::size_t at = 0; at < change.bytes.size(); at += kSectorBytes) {
        if (chance(random, 50)) continue;
        apply({change.file, change.offset + at, change.bytes.substr(at, kSectorBytes), false});
    }
}

// Moves the `wanted` changes to the plate, and with each the earlier ones of the same names.
void CrashDisk::persist_entries(const std::function<bool(const EntryChanges&)>& wanted) {
    std::set<std::pair<std::uint64_t, std::string>> needed;
    std::vector<bool> chosen(entry_journal_.size());
    for (std::size_t i = entry_journal_.size(); i-- > 0;) {
        const auto& changes = entry_journal_[i];
        chosen[i] = wanted(changes) || std::ranges::any_of(changes, [&needed](const auto& change) {
                        return needed.contains({change.folder, change.name});
                    });
        if (!chosen[i]) continue;
        for (const auto& change : changes)
            needed.emplace(change.folder, change.name);
    }
    std::vector<EntryChanges> left;
    for (std::size_t i = 0; i < entry_journal_.size(); ++i) {
        if (!chosen[i]) {
            left.push_back(std::move(entry_journal_[i]));
            continue;
        }
        for (auto& change : entry_journal_[i]) {
            auto& entries = nodes_.at(change.folder).entries;
            if (change.node == 0) {
                entries.erase(change.name);
            } else {
                entries[change.name] = change.node;
            }
        }
    }
    entry_journal_ = std::move(left);
}

}  // namespace berth::io
