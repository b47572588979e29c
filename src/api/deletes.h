// Deletes: of tags, manifests and blobs (distribution-spec, "Content Management").
#pragma once

#include "api/exchange.h"

namespace berth::api {

// By tag: that tag only. By digest: the manifest and its tags, each of which the caller must be
// allowed to delete.
Reply<> delete_manifest(Exchange& exchange);
// Takes the blob from this repository.
Reply<> delete_blob(Exchange& exchange);

}  // namespace berth::api
