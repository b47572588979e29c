// Goal: a measured cache is the same cache, and each of its calls is told of once.
// Method: a cache of one entry, and a list of the calls that were told of.
#include "store/cache/measured_cache.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace berth::store {
namespace {

class OneEntry final : public DescriptorCache {
  public:
    std::optional<std::uint64_t> find(const oci::RepositoryName&, const oci::Digest&,
                                      std::uint64_t version) override {
        return version == version_ ? size_ : std::nullopt;
    }
    void put(const oci::RepositoryName&, const oci::Digest&, std::uint64_t version,
             std::uint64_t size) override {
        version_ = version;
        size_ = size;
    }

  private:
    std::uint64_t version_ = 0;
    std::optional<std::uint64_t> size_;
};

TEST(MeasuredCache, TellsOfEachCall) {
    std::vector<std::string> calls;
    const auto cache = measure(std::make_unique<OneEntry>(),
                               [&calls](std::string_view operation, std::chrono::nanoseconds took) {
                                   EXPECT_GE(took.count(), 0);
                                   calls.emplace_back(operation);
                               });
    const auto repository = oci::RepositoryName::parse("a/b").value();
    const auto digest = oci::Digest::parse("sha256:" + std::string(64, 'a')).value();
    EXPECT_EQ(cache->find(repository, digest, 7), std::nullopt);
    cache->put(repository, digest, 7, 1234);
    EXPECT_EQ(cache->find(repository, digest, 7), 1234u);
    EXPECT_EQ(cache->find(repository, digest, 8), std::nullopt);
    EXPECT_THAT(calls, testing::ElementsAre("Stat", "SetDescriptor", "Stat", "Stat"));
}

}  // namespace
}  // namespace berth::store
