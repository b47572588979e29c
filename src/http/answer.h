// The head of an answer, and how its body is framed. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.h"

namespace berth::http {

// What becomes of the connection after an answer.
enum class Persistence {
    keep,
    keep_http10,  // said aloud, since HTTP/1.0 would end it
    close,
};

// May a body stand behind the head? Not for HEAD, nor behind 204 and 304.
bool sends_body(const Request& request, const Response& response);

// Appends the status line, all fields and the empty line. `common` are lines of every answer.
void append_head(std::string& out, const Request& request, const Response& response,
                 std::string_view common, Persistence persistence);

}  // namespace berth::http
