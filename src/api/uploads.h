// Uploads: how blobs come in (distribution-spec, "Pushing Blobs").
//
//     POST  uploads/                  begins a session; or mounts; or is the whole push at once
//     PATCH uploads/<id>              the next bytes: a chunk with its range, or a stream
//     PUT   uploads/<id>?digest=…     the last bytes, if any, and the end
//     GET, DELETE uploads/<id>        how far it is; cancel it
//
// Bytes go from the connection to the store block by block, each hashed as it passes. A body that
// fits one block costs one trip to the pool, with all that is to be done about it.
#pragma once

#include "api/exchange.h"
#include "base/task.h"

namespace berth::api {

Task<Reply<>> begin_upload(Exchange& exchange);
// PATCH and PUT.
Task<Reply<>> continue_upload(Exchange& exchange);

Reply<> get_upload(Exchange& exchange);
Reply<> cancel_upload(Exchange& exchange);

}  // namespace berth::api
