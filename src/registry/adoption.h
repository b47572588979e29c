// Adoption: takes a root that registry:2 has served over into the index, where it stands, while
// pulls and pushes go on.
//
// Repositories come over in parallel in the background; one that a request asks for comes first,
// and the request waits for it. Broken things are found, reported and left out, never fatal; no
// blob is read but manifests. Safe against kill -9: what was taken over stays, the rest goes on at
// the next start.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/result.h"
#include "io/directory.h"
#include "oci/names.h"
#include "store/blob/blob_store.h"
#include "store/index/index.h"
#include "store/links/links.h"

namespace berth::registry {

struct AdoptionProgress {
    std::uint64_t repositories = 0;  // taken over
    std::uint64_t repositories_total = 0;
    std::uint64_t manifests = 0, tags = 0, blobs = 0;
    std::uint64_t findings = 0;
    bool done = false;
};

struct AdoptionOptions {
    std::size_t threads = 0;  // 0: two a core
    // Called now and then by one thread at a time, and at the end.
    std::function<void(const AdoptionProgress&)> on_progress;
    std::function<void(const store::Finding&)> on_finding;
};

class Adoption {
  public:
    // All references outlive it. Nothing is to be done, and no thread started, when the index has
    // the truth already.
    static Result<std::unique_ptr<Adoption>> open(io::Directory& directory, store::BlobStore& blobs,
                                                  store::Index& index, AdoptionOptions options);
    ~Adoption();  // stops; goes on at the next start
    Adoption(const Adoption&) = delete;
    Adoption& operator=(const Adoption&) = delete;

    // Takes everything over in threads of its own.
    void start();
    // Waits for its end. An error is one of the index or the disk: a restart tries again.
    Result<void> wait();

    // Returns when the index has the truth about `repository`. Costs one load once all is adopted.
    Result<void> ensure(const oci::RepositoryName& repository);
    bool done() const;
    AdoptionProgress progress() const;

  private:
    struct State;
    explicit Adoption(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace berth::registry
