// The head of a request: its line and its fields (RFC 9112 §2 to §6, RFC 9110 §5), taken strictly.
//
// What two servers could read in two ways is refused (request smuggling): a line that ends without
// CR, a folded field, a space before the colon, control characters, two lengths, a length beside a
// transfer coding. Own code and not Beast's parser, which accepts folded fields, a second Host and
// fragments, and takes half as long again. Pure.
#pragma once

#include <cstddef>
#include <expected>
#include <string_view>

#include "http/message.h"

namespace berth::http {

// Why a request is not served: an answer's status, and a sentence for the client (a literal).
struct Refusal {
    int status = 400;
    std::string_view reason;
};

// What the head says about the connection.
struct Framing {
    bool keep_alive = true;
    bool http10 = false;
    bool expects_continue = false;
};

// The length of the head that `input` begins with, its empty line included; 0: it is not whole yet.
// `searched` remembers how far earlier calls came; 0 at first. A line may end without CR here, so
// that parse_head() sees it and refuses it.
std::size_t find_head_end(std::string_view input, std::size_t& searched);

// `head` is what find_head_end() found. The views of `request` point into it. On a refusal the
// request has what was understood until then.
std::expected<Framing, Refusal> parse_head(std::string_view head, Request& request);

}  // namespace berth::http
