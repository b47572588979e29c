// rewrite_file: changes a small file at one stroke. Readers see the old text or the new one, and so
// does whoever comes after a power cut: temporary file beside it, sync, rename, sync of the folder.
// Writers wait for each other, in whatever process they are.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace berth {

// The new text for the old; empty for a file that is not there.
using TextChange = std::function<Result<std::string>(std::string_view text)>;

// A file that is there keeps its owner and mode; a new one gets `new_mode` and, made by root, the
// owner of its folder, so that the folder's service can read it. Symbolic links are followed. A
// change that returns the text it was given writes nothing. The detail of an error names the file;
// those of `change` pass through.
Result<void> rewrite_file(const std::string& path, ::mode_t new_mode, const TextChange& change);

}  // namespace berth
