#include "registry/pull_cache.h"

#include <mutex>
#include <utility>

namespace berth::registry {
namespace {

// A node of the table, its place in the ring and the content's own memory, about.
constexpr std::size_t kEntryBytes = 400;

}  // namespace

PullCache::PullCache(const store::IndexReader& index, Limits limits)
    : index_(index), limits_(limits) {}

PullCache::NameView PullCache::view_of(Kind kind, std::string_view repository,
                                       std::string_view reference) {
    const std::hash<std::string_view> hash;
    // Multiplied, so that equal texts on both sides do not cancel out.
    const std::size_t mixed = hash(repository) * 31 + hash(reference);
    return {mixed + static_cast<std::size_t>(kind), kind, repository, reference};
}

ContentPtr PullCache::find(Kind kind, std::string_view repository,
                           std::string_view reference) const {
    const auto name = view_of(kind, repository, reference);
    const auto& shard = shard_of(name);
    std::shared_lock lock(shard.mutex);
    const auto found = shard.table.find(name);
    if (found == shard.table.end()) return nullptr;
    const auto& [stored, entry] = *found;
    if (entry.version != index_.version(stored.repository)) return nullptr;
    // Written only where it changes: the line stays shared between the loops.
    if (!entry.used.load(std::memory_order_relaxed))
        entry.used.store(true, std::memory_order_relaxed);
    return entry.content;
}

ContentPtr PullCache::recall(Kind kind, const RepositoryName& repository,
                             const Digest& digest) const {
    const auto name = view_of(kind, repository.text(), digest.text());
    const auto& shard = shard_of(name);
    std::shared_lock lock(shard.mutex);
    const auto found = shard.table.find(name);
    return found == shard.table.end() ? nullptr : found->second.content;
}

void PullCache::put(Kind kind, const RepositoryName& repository, const std::string& reference,
                    std::uint64_t version, ContentPtr content) {
    const auto view = view_of(kind, repository.text(), reference);
    const Sort sort = sort_of(*content);
    auto& shard = shard_of(view);
    Table::node_type replaced;  // freed after the lock
    {
        std::lock_guard lock(shard.mutex);
        const auto old = shard.table.find(view);
        if (old != shard.table.end()) replaced = take(shard, old);
        auto& added = *shard.table.try_emplace({view.hash, kind, repository, reference}).first;
        count(added.first, *content);
        added.second.content = std::move(content);
        added.second.version = version;
        // What was pulled before is wanted again; what is new has to show it.
        added.second.used.store(!replaced.empty(), std::memory_order_relaxed);
        auto& entries = shard.rings[static_cast<std::size_t>(sort)].entries;
        added.second.position = entries.size();
        entries.push_back(&added);
    }
    shrink(sort);
}

void PullCache::forget(Kind kind, const RepositoryName& repository, const std::string& reference) {
    const auto name = view_of(kind, repository.text(), reference);
    auto& shard = shard_of(name);
    Table::node_type forgotten;  // freed after the lock
    std::lock_guard lock(shard.mutex);
    const auto found = shard.table.find(name);
    if (found != shard.table.end()) forgotten = take(shard, found);
}

void PullCache::shrink(Sort sort) {
    while (is_over(sort) && evict_one(sort)) {
    }
}

bool PullCache::is_over(Sort sort) const {
    return sort == Sort::file ? files_.load() > limits_.files : bytes_.load() > limits_.bytes;
}

// False: no entry of that sort is left. The first round spares what is in use, in every shard.
bool PullCache::evict_one(Sort sort) {
    for (std::size_t tries = 0; tries < 2 * kShards; ++tries) {
        auto& shard = shards_[next_shard_.fetch_add(1, std::memory_order_relaxed) % kShards];
        Table::node_type victim;  // freed, and a file closed, after the lock
        std::lock_guard lock(shard.mutex);
        victim = evict(shard, sort);
        if (!victim.empty()) return true;
    }
    return false;
}

// Empty when all entries of that sort have been used since the hand came by.
PullCache::Table::node_type PullCache::evict(Shard& shard, Sort sort) {
    auto& [entries, hand] = shard.rings[static_cast<std::size_t>(sort)];
    for (std::size_t tries = 0; tries < entries.size(); ++tries) {
        if (hand >= entries.size()) hand = 0;
        const auto& [name, entry] = *entries[hand];
        if (!entry.used.exchange(false, std::memory_order_relaxed))
            return take(shard, shard.table.find(name));
        ++hand;
    }
    return {};
}

PullCache::Table::node_type PullCache::take(Shard& shard, Table::iterator entry) {
    const auto sort = sort_of(*entry->second.content);
    auto& entries = shard.rings[static_cast<std::size_t>(sort)].entries;
    const std::size_t position = entry->second.position;
    entries[position] = entries.back();
    entries[position]->second.position = position;
    entries.pop_back();
    discount(entry->first, *entry->second.content);
    return shard.table.extract(entry);
}

std::size_t PullCache::cost_of(const Name& name, const Content& content) {
    return kEntryBytes + name.repository.text().size() + name.reference.size() +
           content.references.size() + (content.bytes ? content.bytes->size() : 0);
}

void PullCache::count(const Name& name, const Content& content) {
    if (content.file) ++files_;
    if (!content.file) bytes_ += cost_of(name, content);
}

void PullCache::discount(const Name& name, const Content& content) {
    if (content.file) --files_;
    if (!content.file) bytes_ -= cost_of(name, content);
}

}  // namespace berth::registry
