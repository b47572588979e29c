// Listings: tags, repositories and referrers, page by page (distribution-spec, "Content
// Discovery"; Docker's catalog).
#pragma once

#include "api/exchange.h"

namespace berth::api {

Reply<> list_tags(Exchange& exchange);
// Only what the caller may pull.
Reply<> list_repositories(Exchange& exchange);
// An empty list, never a 404, for what is not there.
Reply<> list_referrers(Exchange& exchange);

}  // namespace berth::api
