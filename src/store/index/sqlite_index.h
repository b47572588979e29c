// The index in one SQLite file: WAL, synchronous=FULL, one writer thread that commits for all,
// readers each with a connection of their own. See schema.h for the tables.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "store/index/index.h"

namespace berth::store {

struct SqliteIndexOptions {
    std::string path;  // of the file; `:memory:` for an index that dies with the process
    std::chrono::seconds grace{std::chrono::hours(24)};  // from count zero to due
    RecordedEvents events = {};                          // written with what they tell of
};

// Opens or creates the file and brings its schema to this version, step by step. Errc::unsupported
// when a newer Berth has written it; Errc::corrupt when it is not an index. `clock` outlives the
// index.
Result<std::unique_ptr<Index>> open_sqlite_index(const SqliteIndexOptions& options,
                                                 const Clock& clock);

}  // namespace berth::store
