// The bundle: images in one file, for a registry that no network reaches.
//
// A tar that is an OCI layout, with one more file, berth-bundle.json, that says what has to be
// there, and what the bundle leaves out because an earlier one brought it:
//
//     {"version": 1,
//      "repositories": {"team/app": {"tags": {"1.0": "sha256:…"}, "manifests": ["sha256:…"]}},
//      "blobs": {"sha256:…": 1234},      digest → size; manifests too; each is in the tar
//      "needs": {"sha256:…": 1234}}      blobs that the registry must have already
//
// The same images give the same bytes.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "transfer/files.h"
#include "transfer/source.h"

namespace berth::transfer {

inline constexpr const char* kBundleFile = "berth-bundle.json";

struct BundleIndex {
    std::map<RepositoryName, SourceRepository> repositories;
    std::map<Digest, std::uint64_t> blobs;
    std::map<Digest, std::uint64_t> needs;
};

std::string format_bundle(const BundleIndex& index);
// Errc::unsupported: of a newer Berth. Errc::invalid.
Result<BundleIndex> parse_bundle(std::string_view text);
Result<BundleIndex> read_bundle(const Files& files);

// What a registry has that took everything up to this file: a bundle with what it needed, or a list
// of digests, one a line.
Result<std::set<Digest>> read_since(std::shared_ptr<io::File> file);

}  // namespace berth::transfer
