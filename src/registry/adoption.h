// Adoption: takes a root that registry:2 has served over into the index, where it stands, while
// pulls and pushes go on.
//
// Repositories come over in parallel in the background; one that a request asks for comes first,
// and the request waits for it. Broken things are found, reported and left out, never fatal; no
// blob is read but manifests. Safe against kill -9: what was taken over stays, the rest goes on at
// the next start. After an export in place the link files are the truth again: then what they do
// not have leaves the index.
#pragma once

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

// All are called by one thread at a time.
struct AdoptionOptions {
    std::size_t threads = 0;  // 0: as many as share the index's commits well
    // At the start, every few seconds, and at the end.
    std::function<void(const AdoptionProgress&)> on_progress;
    std::function<void(const store::Finding&)> on_finding;
    // A repository that cannot be taken over; the others are. The next start tries again.
    std::function<void(const Error&)> on_error;
};

class Adoption {
  public:
    // All references outlive it. Nothing is to be done, and no thread started, when the index has
    // the truth already, or there is nothing to take over.
    static Result<std::unique_ptr<Adoption>> open(io::Directory& directory, store::BlobStore& blobs,
                                                  store::Index& index, AdoptionOptions options);
    ~Adoption();  // stops; goes on at the next start
    Adoption(const Adoption&) = delete;
    Adoption& operator=(const Adoption&) = delete;

    // Takes everything over in threads of its own. Once.
    void start();
    // Waits for its end, which is not `done` when it was stopped. An error is the first of those
    // that on_error was told of.
    Result<void> wait();

    // Returns when the index has the truth about `repository`. Costs one load once all is adopted.
    Result<void> ensure(const oci::RepositoryName& repository);
    // The same before the index is written to: also a repository that the tree does not have is
    // the index's from now on.
    Result<void> ensure_for_push(const oci::RepositoryName& repository);
    bool done() const;
    AdoptionProgress progress() const;

  private:
    struct State;
    explicit Adoption(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace berth::registry
