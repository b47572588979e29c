#include "transfer/listing.h"

#include <functional>

namespace berth::transfer {
namespace {

constexpr std::size_t kPageNames = 1000;

using Next = std::function<Result<store::Page>(const std::string& last)>;

template <class Name>
Result<std::vector<Name>> all_names(const Next& next) {
    std::vector<Name> names;
    std::string last;
    for (bool more = true; more;) {
        BERTH_TRY(const auto page, next(last));
        for (const auto& text : page.names) {
            BERTH_TRY(auto name, Name::parse(text));
            names.push_back(std::move(name));
        }
        more = page.more && !page.names.empty();
        if (more) last = page.names.back();
    }
    return names;
}

}  // namespace

Result<std::vector<oci::RepositoryName>> all_repositories(const store::IndexReader& index) {
    return all_names<oci::RepositoryName>(
        [&](const auto& last) { return index.repositories(last, kPageNames); });
}

Result<std::vector<store::TagRecord>> all_tags(const store::IndexReader& index,
                                               const oci::RepositoryName& repository) {
    BERTH_TRY(const auto names, all_names<oci::Tag>([&](const auto& last) {
                  return index.tags(repository, last, kPageNames);
              }));
    std::vector<store::TagRecord> tags;
    for (const auto& name : names) {
        BERTH_TRY(auto record, index.find_tag(repository, name));
        if (record) tags.push_back(std::move(*record));
    }
    return tags;
}

Result<std::vector<oci::Digest>> all_manifests(const store::IndexReader& index,
                                               const oci::RepositoryName& repository) {
    return all_names<oci::Digest>(
        [&](const auto& last) { return index.manifests(repository, last, kPageNames); });
}

Result<std::vector<oci::Digest>> all_blobs(const store::IndexReader& index,
                                           const oci::RepositoryName& repository) {
    return all_names<oci::Digest>(
        [&](const auto& last) { return index.blobs(repository, last, kPageNames); });
}

}  // namespace berth::transfer
