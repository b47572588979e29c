// UploadSessions: which uploads are open now, and the states of those this process has seen.
//
// The states are what the files say, kept so that the requests of a push need not read them.
// Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "store/blob/upload_state.h"

namespace berth::store {

class UploadSessions {
  public:
    // The right to work on an upload's files. Ends with the object; the sessions outlive it.
    class Lease {
      public:
        Lease(UploadSessions& sessions, UploadId id) : sessions_(&sessions), id_(std::move(id)) {}
        Lease(Lease&& other) noexcept
            : sessions_(std::exchange(other.sessions_, nullptr)), id_(std::move(other.id_)) {}
        Lease& operator=(Lease&&) = delete;
        ~Lease() {
            if (sessions_) sessions_->release(id_);
        }

      private:
        UploadSessions* sessions_;
        UploadId id_;
    };

    // Nothing when somebody else has it.
    std::optional<Lease> try_lease(const UploadId& id);

    // To be called after the file was written. When there are too many, the file alone has to do.
    void remember(const UploadState& state);
    void forget(const UploadId& id);
    std::optional<UploadState> recall(const UploadId& id) const;

  private:
    static constexpr std::size_t kRememberedMax = 4096;  // of some 600 bytes

    void release(const UploadId& id);

    mutable std::mutex mutex_;
    std::set<UploadId> leased_;
    std::map<UploadId, UploadState> remembered_;
};

}  // namespace berth::store
