// PullCache: what pulls were answered with, kept by name, so that the next pull of the same name
// needs neither the index nor the disk.
//
// An entry is a name of a repository (tag or digest), its content, and the index's version of the
// repository that was read before the index was. It answers as long as that version stands.
// Contents are immutable and shared, so a tag and its digest cost the bytes once; what a limit
// counts is each name's share. Entries go by CLOCK, those with bytes and those with an open file
// apart.
//
// Thread-safe. find() is for event loops: it allocates nothing, and readers do not wait for each
// other.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "registry/registry.h"

namespace berth::registry {

class PullCache {
  public:
    enum class Kind : std::uint8_t { manifest, blob };

    struct Limits {
        std::size_t bytes = 0;  // of contents, and of the names with them
        std::size_t files = 0;  // names with an open file
    };

    // `index` outlives the cache.
    PullCache(const store::IndexReader& index, Limits limits);

    // Null: not there, or the repository has changed since.
    ContentPtr find(Kind kind, std::string_view repository, std::string_view reference) const;
    // The bytes that were once read for the digest: right as long as the index has the digest in
    // this repository.
    ContentPtr recall(Kind kind, const RepositoryName& repository, const Digest& digest) const;
    // `version` was read before the index said that `reference` stands for `content`.
    void put(Kind kind, const RepositoryName& repository, const std::string& reference,
             std::uint64_t version, ContentPtr content);
    void forget(Kind kind, const RepositoryName& repository, const std::string& reference);
    // What of the limits is used.
    Limits used() const { return {bytes_.load(), files_.load()}; }

  private:
    // What is looked up; the hash is computed once for the shard and its table.
    struct NameView {
        std::size_t hash;
        Kind kind;
        std::string_view repository;
        std::string_view reference;
    };
    struct Name {
        NameView view() const { return {hash, kind, repository.text(), reference}; }

        std::size_t hash;
        Kind kind;
        RepositoryName repository;
        std::string reference;
    };
    struct Hash {
        using is_transparent = void;
        // Not noexcept: the standard library then keeps the hash in its nodes.
        std::size_t operator()(const Name& name) const { return name.hash; }
        std::size_t operator()(const NameView& name) const { return name.hash; }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(const NameView& a, const NameView& b) const {
            return a.kind == b.kind && a.reference == b.reference && a.repository == b.repository;
        }
        bool operator()(const Name& a, const Name& b) const { return (*this)(a.view(), b.view()); }
        bool operator()(const Name& a, const NameView& b) const { return (*this)(a.view(), b); }
        bool operator()(const NameView& a, const Name& b) const { return (*this)(a, b.view()); }
    };
    struct Entry {
        ContentPtr content;
        std::uint64_t version = 0;
        std::size_t position = 0;                // in its ring
        mutable std::atomic<bool> used = false;  // since the clock's hand came by
    };
    using Table = std::unordered_map<Name, Entry, Hash, Equal>;

    // The entries of one sort, in the order in which the hand visits them.
    struct Ring {
        std::vector<Table::value_type*> entries;
        std::size_t hand = 0;
    };
    enum class Sort : std::uint8_t { bytes, file };

    struct alignas(64) Shard {
        mutable std::shared_mutex mutex;
        Table table;
        std::array<Ring, 2> rings;  // by Sort
    };
    static constexpr std::size_t kShards = 16;

    static NameView view_of(Kind kind, std::string_view repository, std::string_view reference);
    static Sort sort_of(const Content& content) { return content.file ? Sort::file : Sort::bytes; }
    static std::size_t cost_of(const Name& name, const Content& content);

    const Shard& shard_of(const NameView& name) const { return shards_[name.hash % kShards]; }
    Shard& shard_of(const NameView& name) { return shards_[name.hash % kShards]; }
    bool is_over(Sort sort) const;
    void shrink(Sort sort);
    bool evict_one(Sort sort);
    Table::node_type evict(Shard& shard, Sort sort);
    Table::node_type take(Shard& shard, Table::iterator entry);
    void count(const Name& name, const Content& content);
    void discount(const Name& name, const Content& content);

    const store::IndexReader& index_;
    const Limits limits_;
    std::array<Shard, kShards> shards_;
    std::atomic<std::size_t> bytes_ = 0;
    std::atomic<std::size_t> files_ = 0;
    std::atomic<std::size_t> next_shard_ = 0;  // to evict from
};

}  // namespace berth::registry
