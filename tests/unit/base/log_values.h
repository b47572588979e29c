// What the tests of the log write.
#pragma once

#include <string_view>

#include "base/log.h"

namespace berth {

inline AccessRecord record(std::string_view target) {
    return {.remote_address = "::1",
            .user = "",
            .at = Time(),
            .method = "GET",
            .target = target,
            .protocol = "HTTP/1.1",
            .status = 200,
            .body_bytes = 0,
            .referer = "",
            .user_agent = ""};
}

}  // namespace berth
