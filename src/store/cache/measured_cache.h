// MeasuredCache: a descriptor cache that says how long its calls took, for the metrics.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>

#include "store/cache/descriptor_cache.h"

namespace berth::store {

// Told of each call that has ended, by distribution's name for it: Stat, SetDescriptor.
// Thread-safe, and quick.
using OnCacheCall =
    std::function<void(std::string_view operation, std::chrono::nanoseconds duration)>;

// The same cache, measured.
std::unique_ptr<DescriptorCache> measure(std::unique_ptr<DescriptorCache> cache,
                                         OnCacheCall on_call);

}  // namespace berth::store
