// FileUpload: one open upload on files. The requests of a push open and close it, one after the
// other.
#pragma once

#include <memory>

#include "oci/hasher.h"
#include "store/blob/blob_files.h"

namespace berth::store {

class FileUpload final : public Upload {
  public:
    // Opens the data of the upload `state` speaks of, without what came after the save.
    // Errc::not_found when the data is gone or too short; the lease is then still the caller's.
    // `files` outlives the upload.
    static Result<std::unique_ptr<Upload>> open(BlobFiles& files, UploadSessions::Lease&& lease,
                                                UploadState state);

    FileUpload(BlobFiles& files, UploadSessions::Lease lease, UploadState state,
               std::unique_ptr<io::File> data, oci::Hasher hasher);

    const UploadInfo& info() const override { return state_.info; }
    Result<void> append(Bytes bytes) override;
    Result<void> save() override;
    Result<std::uint64_t> commit(const oci::Digest& expected, Known known) override;
    Result<void> abort() override;

  private:
    Result<oci::Digest> digest_as(oci::Algorithm algorithm) const;

    BlobFiles& files_;
    UploadSessions::Lease lease_;
    UploadState state_;  // info is of now, the rest as last saved
    std::unique_ptr<io::File> data_;
    oci::Hasher hasher_;
};

}  // namespace berth::store
