// Import: brings a source's images into a registry.
//
// Of each repository first the blobs, then the manifests from below, what others name and what they
// refer to before them, and at last the tags: whoever sees a tag finds the whole image. Everything
// goes the way of a push, so nothing is taken whose bytes do not have the digest they should.
//
// What the registry has already is left as it is, so a run that ended early, however it ended, goes
// on when it is run again. What is damaged or missing in the source costs the images that need it,
// and is told at the end.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "registry/registry.h"
#include "transfer/image_name.h"
#include "transfer/source.h"

namespace berth::transfer {

// Where to: the registry and what it stands on.
struct Destination {
    registry::Registry& registry;
    store::BlobStore& blobs;
    store::Index& index;
};

struct ImportTotals {
    std::uint64_t repositories = 0;  // done
    std::uint64_t repositories_total = 0;
    std::uint64_t manifests = 0, manifests_present = 0;  // brought in; there already
    std::uint64_t tags = 0, tags_present = 0, tags_kept = 0;
    std::uint64_t blobs = 0, blobs_present = 0;
    std::uint64_t blobs_shared = 0;  // of `blobs`: whole files, cloned or linked where that goes
    std::uint64_t bytes = 0;         // of `blobs`
    std::uint64_t failed = 0;        // manifests and tags that could not be brought in
};

struct ImportOptions {
    Selection selection = {};
    std::size_t threads = 8;
    // Do tags that point elsewhere stay as they are?
    bool keep_tags = false;
    registry::Actor actor = {"berth import"};
    // Called now and then, by one thread at a time.
    std::function<void(const ImportTotals&)> on_progress = [](const auto&) {};
    // What could not be brought in, and why.
    Source::Report on_problem = [](const auto&) {};
};

// Fails when it cannot go on: Errc::no_space, Errc::unavailable or Errc::unauthenticated (the
// source), Errc::not_found (an image that was named, or blobs that the source needs here). What
// fails for some images alone is in the totals.
Result<ImportTotals> import_images(Source& source, const Destination& to,
                                   const ImportOptions& options);

}  // namespace berth::transfer
