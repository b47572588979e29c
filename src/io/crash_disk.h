// CrashDisk: what is on the plate and what is still in the cache, for CrashDirectory.
//
// Two journals hold what was done but not synced: changes of files' bytes and changes of
// directories' entries. A sync moves a file's or a folder's changes to the plate. A power cut moves
// any subset of the others, bytes perhaps torn, entries without regard to the bytes they name. As
// on journaling file systems a rename is on the plate in whole or not at all, and not without
// earlier changes of the names it concerns. Nodes are numbers (io/tree.h); 0 is the root. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace berth::io {

using Random = std::mt19937_64;

class CrashDisk {
  public:
    struct Node {
        bool is_directory = false;
        std::string content;                           // of a file
        std::map<std::string, std::uint64_t> entries;  // of a directory: name → node
    };
    // A name now stands for `node`, or for nothing (0).
    struct EntryChange {
        std::uint64_t folder = 0;
        std::string name;
        std::uint64_t node = 0;
    };

    CrashDisk();

    void add_node(std::uint64_t node, bool is_directory);
    void write(std::uint64_t file, std::uint64_t offset, Bytes bytes);
    void truncate(std::uint64_t file, std::uint64_t size);
    // All or none of `changes` reach the plate.
    void change_entries(std::vector<EntryChange> changes);

    void sync_file(std::uint64_t file);
    void sync_folder(std::uint64_t folder);
    void sync_all();
    // The power goes: afterwards there is nothing in the cache, and some of what was there is on
    // the plate.
    void cut_power(Random& random);

    const Node& node(std::uint64_t id) const { return nodes_.at(id); }

  private:
    struct DataChange {
        std::uint64_t file = 0;
        std::uint64_t offset = 0;
        std::string bytes;
        bool is_truncation = false;  // to `offset`
    };
    using EntryChanges = std::vector<EntryChange>;

    void apply(const DataChange& change);
    void apply_torn(const DataChange& change, Random& random);
    void persist_entries(const std::function<bool(const EntryChanges&)>& wanted);

    std::map<std::uint64_t, Node> nodes_;
    std::vector<DataChange> data_journal_;
    std::vector<EntryChanges> entry_journal_;
};

}  // namespace berth::io
