// Manifest pushes: PUT by tag or by digest, with more tags in the query (distribution-spec,
// "Pushing Manifests").
#pragma once

#include "api/exchange.h"
#include "base/task.h"

namespace berth::api {

Task<Reply<>> put_manifest(Exchange& exchange);

}  // namespace berth::api
