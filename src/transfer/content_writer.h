// ContentWriter: where an export's files go, a folder or a tar. What is written has its name only
// when all of it is there and on the disk.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "io/directory.h"
#include "transfer/source.h"

namespace berth::transfer {

inline std::unexpected<Error> fail_damaged(const Digest& digest) {
    return fail(Errc::corrupt,
                "the registry's file of " + digest.text() + " is damaged: see berth fsck");
}

class ContentWriter {
  public:
    virtual ~ContentWriter() = default;
    // In byte order of the paths, each once, `index.json` last.
    virtual Result<void> put(std::string_view path, std::string_view content) = 0;
    // The bytes of a file; Errc::corrupt when they do not have the digest.
    virtual Result<void> put_blob(const Digest& digest, std::shared_ptr<io::File> file,
                                  std::uint64_t size) = 0;
    virtual Result<void> finish() = 0;
};

// An OCI layout's folder, made or taken up where an earlier export left it. Errc::already_exists:
// there is something in it that no export of Berth has made.
Result<std::unique_ptr<ContentWriter>> write_folder(const std::string& path);

// A tar; the same content gives the same bytes. Errc::already_exists.
Result<std::unique_ptr<ContentWriter>> write_tar(const std::string& path);

}  // namespace berth::transfer
