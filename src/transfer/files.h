// Files: named files to read, in a folder or in a tar, which is read where it stands and never
// unpacked. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "io/directory.h"
#include "oci/digest.h"

namespace berth::transfer {

// A stretch of an open file.
struct Slice {
    std::shared_ptr<io::File> file;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;

    // All of it, in pieces.
    Result<void> read(const std::function<Result<void>(Bytes)>& sink) const;
    Result<oci::Digest> digest(oci::Algorithm algorithm) const;
};

class Files {
  public:
    virtual ~Files() = default;
    // Errc::not_found; Errc::invalid for a path that leads outside.
    virtual Result<Slice> open(std::string_view path) const = 0;

    bool has(std::string_view path) const { return open(path).has_value(); }
    // The whole of it; Errc::too_large when it is longer than `bytes_max`.
    Result<std::string> read(std::string_view path, std::size_t bytes_max) const;
};

std::unique_ptr<Files> files_in(std::unique_ptr<io::Directory> folder);

// Looks through the whole tar at once. Errc::invalid: not a tar, compressed, cut short, with names
// that lead outside of it, with two files of one name, or with too many.
Result<std::unique_ptr<Files>> files_in_tar(std::shared_ptr<io::File> tar);

}  // namespace berth::transfer
