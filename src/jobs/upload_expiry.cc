#include "jobs/upload_expiry.h"

#include <pthread.h>

#include <exception>
#include <string>

namespace berth::jobs {
namespace {

enum class Outcome { removed, kept };

// A request may have taken up the upload, or ended it, since it was listed.
Result<Outcome> remove_if_idle(store::BlobStore& blobs, const store::UploadId& id, Time latest) {
    const auto upload = blobs.open_upload(id);
    if (!upload) {
        const auto code = upload.error().code;
        if (code == Errc::conflict || code == Errc::not_found) return Outcome::kept;
        return std::unexpected(upload.error());
    }
    if ((*upload)->info().updated_at > latest) return Outcome::kept;
    BERTH_CHECK((*upload)->abort());
    return Outcome::removed;
}

}  // namespace

Result<ExpiredUploads> expire_uploads(store::BlobStore& blobs, const Clock& clock, Logger& log,
                                      const UploadExpiryOptions& options) {
    const Time latest = clock.now() - options.age;
    BERTH_TRY(const auto uploads, blobs.uploads());
    ExpiredUploads count;
    for (const auto& upload : uploads) {
        Result<Outcome> outcome = Outcome::kept;
        if (upload.updated_at <= latest)
            outcome = options.dry_run ? Outcome::removed : remove_if_idle(blobs, upload.id, latest);
        if (!outcome) {
            ++count.failed;
            log.write(LogLevel::warn, "an abandoned upload cannot be removed",
                      {{"upload", upload.id.text()}, {"error", outcome.error().detail}});
        } else if (*outcome == Outcome::kept) {
            ++count.kept;
        } else {
            ++count.removed;
            log.write(LogLevel::info,
                      options.dry_run ? "an abandoned upload would be removed (dry run)"
                                      : "removed an abandoned upload",
                      {{"upload", upload.id.text()},
                       {"repository", upload.repository.text()},
                       {"bytes", std::to_string(upload.offset)}});
        }
    }
    return count;
}

UploadExpiry::UploadExpiry(store::BlobStore& blobs, const Clock& clock, Logger& log,
                           UploadExpiryOptions options)
    : blobs_(blobs), clock_(clock), log_(log), options_(options), thread_([this] { serve(); }) {}

UploadExpiry::~UploadExpiry() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void UploadExpiry::serve() {
    pthread_setname_np(pthread_self(), "upload-expiry");
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        lock.unlock();
        run();
        lock.lock();
        wake_.wait_for(lock, options_.interval, [this] { return stopping_; });
    }
}

// The job's boundary: what a run throws ends the run, not the server.
void UploadExpiry::run() {
    try {
        const auto count = expire_uploads(blobs_, clock_, log_, options_);
        if (!count) {
            log_.write(LogLevel::error, "abandoned uploads cannot be looked for",
                       {{"error", count.error().detail}});
        } else if (count->removed + count->failed > 0) {
            log_.write(LogLevel::info, "looked for abandoned uploads",
                       {{"removed", std::to_string(count->removed)},
                        {"failed", std::to_string(count->failed)},
                        {"kept", std::to_string(count->kept)}});
        }
    } catch (const std::exception& thrown) {
        log_.write(LogLevel::error, "abandoned uploads cannot be looked for",
                   {{"error", thrown.what()}});
    }
}

}  // namespace berth::jobs
