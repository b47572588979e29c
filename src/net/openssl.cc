#include "net/openssl.h"

#include <openssl/err.h>

#include <system_error>

namespace berth::net {

std::string openssl_error() {
    const auto code = ERR_get_error();
    ERR_clear_error();
    if (code == 0) return "unknown error";
    if (ERR_SYSTEM_ERROR(code)) return std::generic_category().message(ERR_GET_REASON(code));
    const char* reason = ERR_reason_error_string(code);
    return reason != nullptr ? reason : "error " + std::to_string(code);
}

int no_passphrase(char*, int, int, void*) {
    return -1;
}

}  // namespace berth::net
