// LivePolicy: the policy in force, which a reload replaces as a whole. Each request takes current()
// once and decides by it to its end. Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "auth/policy/policy.h"

namespace berth::auth {

class LivePolicy {
  public:
    explicit LivePolicy(Policy policy) { replace(std::move(policy)); }

    std::shared_ptr<const Policy> current() const { return policy_.load(); }
    void replace(Policy policy) {
        policy_.store(std::make_shared<const Policy>(std::move(policy)));
    }

  private:
    std::atomic<std::shared_ptr<const Policy>> policy_;
};

}  // namespace berth::auth
