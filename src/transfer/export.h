// Export: gives images of a registry to others. As an OCI layout, as a bundle for where no network
// reaches, or as a root that registry:2 serves: another one, or the registry's own.
//
// Every byte is checked against its digest on its way out.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "io/directory.h"
#include "registry/registry.h"
#include "transfer/content_writer.h"
#include "transfer/image_set.h"

namespace berth::transfer {

struct ExportTotals {
    std::uint64_t repositories = 0, tags = 0, manifests = 0, blobs = 0;
    std::uint64_t bytes = 0;         // of blobs and manifests
    std::uint64_t bytes_total = 0;   // that there will be
    std::uint64_t left_out = 0;      // blobs that a bundle needs from before
    std::uint64_t not_servable = 0;  // manifests by sha512, which registry:2 does not serve
};

struct ExportOptions {
    std::size_t threads = 8;
    // Called now and then, by one thread at a time.
    std::function<void(const ExportTotals&)> on_progress = [](const auto&) {};
};

// An OCI layout of all images of the set, named `repository:tag` in it.
Result<ExportTotals> export_layout(const ImageSet& set, const store::BlobStore& blobs,
                                   ContentWriter& to, const ExportOptions& options);

// A bundle (bundle.h) without the blobs of `since`.
Result<ExportTotals> export_bundle(const ImageSet& set, const store::BlobStore& blobs,
                                   const std::set<Digest>& since, ContentWriter& to,
                                   const ExportOptions& options);

// The images in another root, besides what it has. Errc::already_exists: a tag of it points
// elsewhere; nothing was changed then.
Result<ExportTotals> export_root(const ImageSet& set, const store::BlobStore& blobs,
                                 io::Directory& root, store::BlobStore& to,
                                 const ExportOptions& options);

// Registry:2's link files of everything that the index has, in its own root. From then on they are
// the truth for names, for Berth too. Nobody else may have the index open.
Result<ExportTotals> export_in_place(io::Directory& root, store::Index& index,
                                     const ExportOptions& options);

}  // namespace berth::transfer
