// Parallel: work on many things at once, by a bounded number of threads.
//
// The caller works too, so work that is split again inside cannot wait for a thread for ever.
#pragma once

#include <cstddef>
#include <functional>

#include "base/pool.h"
#include "base/result.h"

namespace berth {

class Parallel {
  public:
    explicit Parallel(std::size_t threads);

    // Calls `work` for each number below `count`, in any order, and returns when all calls have.
    // After an error no more are begun; the first one is returned. `work` must not throw.
    Result<void> each(std::size_t count, const std::function<Result<void>(std::size_t)>& work);

  private:
    const std::size_t threads_;
    Pool pool_;
};

}  // namespace berth
