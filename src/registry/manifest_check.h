// The rules a manifest must keep before it is stored, beyond being well-formed (oci/manifest.h):
// what it names must be in the repository, with the size it says.
#pragma once

#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "oci/manifest.h"
#include "store/index/index.h"

namespace berth::registry {

// validation.* of the configuration.
struct ManifestRules {
    bool enabled = true;  // false: what a manifest names need not be there
    // Foreign layers' URLs: regular expressions (ECMAScript); without `url_allow` none is allowed.
    std::vector<std::string> url_allow = {}, url_deny = {};
    // Which children of an index must be in the repository.
    enum class Platforms { all, none, list } platforms = Platforms::all;
    std::vector<std::pair<std::string, std::string>> platform_list = {};  // architecture, os
};

// Thread-safe.
// What the index keeps of a manifest, without what it names.
store::ManifestRecord record_of(const oci::Manifest& manifest, const oci::Digest& digest,
                                std::uint64_t size);

class ManifestCheck {
  public:
    // `index` outlives the check. Throws std::regex_error for a pattern that is none, or has a back
    // reference.
    ManifestCheck(const store::IndexReader& index, ManifestRules rules);

    // What the index is to know of `manifest`, whose bytes have that digest and size. The record
    // names what is in the repository now. Errc::not_found: something that must be there is not,
    // and the detail begins with its digest. Errc::invalid: a size or a URL that is wrong.
    Result<store::ManifestRecord> check(const oci::RepositoryName& repository,
                                        const oci::Manifest& manifest, const oci::Digest& digest,
                                        std::uint64_t size) const;

  private:
    Result<void> check_blob(const oci::RepositoryName& repository,
                            const oci::Descriptor& descriptor, store::ManifestRecord& record) const;
    Result<void> check_child(const oci::RepositoryName& repository,
                             const oci::Descriptor& descriptor,
                             store::ManifestRecord& record) const;
    Result<void> check_size(const oci::Descriptor& descriptor, std::uint64_t stored) const;
    Result<void> check_url(const std::string& url) const;
    bool child_must_exist(const oci::Descriptor& descriptor) const;

    const store::IndexReader& index_;
    const ManifestRules rules_;
    std::vector<std::regex> url_allow_, url_deny_;
};

}  // namespace berth::registry
