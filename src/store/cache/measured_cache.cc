#include "store/cache/measured_cache.h"

#include <utility>

namespace berth::store {
namespace {

using SteadyClock = std::chrono::steady_clock;

class MeasuredCache final : public DescriptorCache {
  public:
    MeasuredCache(std::unique_ptr<DescriptorCache> cache, OnCacheCall on_call)
        : cache_(std::move(cache)), on_call_(std::move(on_call)) {}

    std::optional<std::uint64_t> find(const oci::RepositoryName& repository,
                                      const oci::Digest& digest, std::uint64_t version) override {
        const auto began = SteadyClock::now();
        const auto found = cache_->find(repository, digest, version);
        on_call_("Stat", SteadyClock::now() - began);
        return found;
    }
    void put(const oci::RepositoryName& repository, const oci::Digest& digest,
             std::uint64_t version, std::uint64_t size) override {
        const auto began = SteadyClock::now();
        cache_->put(repository, digest, version, size);
        on_call_("SetDescriptor", SteadyClock::now() - began);
    }

  private:
    const std::unique_ptr<DescriptorCache> cache_;
    const OnCacheCall on_call_;
};

}  // namespace

std::unique_ptr<DescriptorCache> measure(std::unique_ptr<DescriptorCache> cache,
                                         OnCacheCall on_call) {
    return std::make_unique<MeasuredCache>(std::move(cache), std::move(on_call));
}

}  // namespace berth::store
