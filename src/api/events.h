// Events: what the api adds to what is told of pulls and changes (jobs/notifications.h): by which
// request.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"
#include "registry/registry.h"

namespace berth::auth {
struct Identity;
}

namespace berth::api {

struct Context;
struct Exchange;

// The request as a JSON object (store::Event::request): distribution's id, addr, host, method and
// useragent, and `base`, the URL that the target's path is put behind.
std::string describe_request(const Context& context, const http::Request& request);

// Tells Services::on_pull, which is there, that the content was answered. `tag`: by which a
// manifest was asked for; empty: by its digest. For the hot path too.
void tell_pull(const Context& context, const http::Request& request, const auth::Identity& who,
               std::string_view repository, std::string_view tag, const registry::Content& content);

// The same of an exchange, when anybody wants to know.
void tell_pull(const Exchange& exchange, const registry::Content& content);

}  // namespace berth::api
