// UploadSessions: which uploads are open now, and those that no file knows of yet.
//
// Most uploads are over before anything of them has to be saved, so their states live here until
// then. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

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

    // False when there are too many of them: a file has to keep it then.
    bool add(const UploadState& state);
    void remove(const UploadId& id);
    std::optional<UploadState> find(const UploadId& id) const;
    std::vector<UploadId> ids() const;

  private:
    static constexpr std::size_t kStatesMax = 4096;  // of some 600 bytes

    void release(const UploadId& id);

    mutable std::mutex mutex_;
    std::set<UploadId> leased_;
    std::map<UploadId, UploadState> states_;
};

}  // namespace berth::store
