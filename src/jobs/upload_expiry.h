// The job that removes abandoned uploads (configuration: storage.maintenance.uploadpurging).
//
// An upload that no request has touched for `age` is removed with its bytes; one that a request has
// open is never touched. A run also clears away what a crash left of uploads.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "store/blob/blob_store.h"

namespace berth::jobs {

struct UploadExpiryOptions {
    std::chrono::milliseconds age{std::chrono::hours(168)};
    std::chrono::milliseconds interval{std::chrono::hours(24)};  // between two runs
    bool dry_run = false;  // says what would be removed, and removes nothing
};

struct ExpiredUploads {
    std::size_t removed = 0;  // in a dry run: that would have been
    std::size_t failed = 0;   // each with a line in the log
    std::size_t kept = 0;
};

// One run, now. An error when the uploads cannot be listed.
Result<ExpiredUploads> expire_uploads(store::BlobStore& blobs, const Clock& clock, Logger& log,
                                      const UploadExpiryOptions& options);

// Runs at once and then after each interval, in a thread of its own, until destroyed; a run that
// has begun is ended first. What it is given outlives it.
class UploadExpiry {
  public:
    UploadExpiry(store::BlobStore& blobs, const Clock& clock, Logger& log,
                 UploadExpiryOptions options);
    ~UploadExpiry();
    UploadExpiry(const UploadExpiry&) = delete;
    UploadExpiry& operator=(const UploadExpiry&) = delete;

  private:
    void serve();
    void run();

    store::BlobStore& blobs_;
    const Clock& clock_;
    Logger& log_;
    const UploadExpiryOptions options_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;  // last: it uses the others
};

}  // namespace berth::jobs
