// What an index file says of itself, counted anew: the invariants of store/index/schema.h as SQL.
#pragma once

#include <string>
#include <vector>

namespace berth::store {

// A line for each row that disagrees with what it counts, and for each finding of SQLite's own
// checks. The file may be open elsewhere.
std::vector<std::string> inconsistencies_of(const std::string& index_path);

}  // namespace berth::store
