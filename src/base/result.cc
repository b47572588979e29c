#include "base/result.h"

#include <cerrno>
#include <system_error>

namespace berth {

std::string_view name_of(Errc code) {
    switch (code) {
        case Errc::not_found:
            return "not_found";
        case Errc::already_exists:
            return "already_exists";
        case Errc::invalid:
            return "invalid";
        case Errc::unauthenticated:
            return "unauthenticated";
        case Errc::denied:
            return "denied";
        case Errc::conflict:
            return "conflict";
        case Errc::out_of_range:
            return "out_of_range";
        case Errc::too_large:
            return "too_large";
        case Errc::unsupported:
            return "unsupported";
        case Errc::rate_limited:
            return "rate_limited";
        case Errc::unavailable:
            return "unavailable";
        case Errc::cancelled:
            return "cancelled";
        case Errc::no_space:
            return "no_space";
        case Errc::io:
            return "io";
        case Errc::corrupt:
            return "corrupt";
    }
    return "unknown";
}

Error Error::with_context(std::string_view context) && {
    detail.insert(0, std::string(context) + ": ");
    return std::move(*this);
}

std::unexpected<Error> fail_errno(std::string_view what, int os_errno) {
    auto code = Errc::io;
    if (os_errno == ENOENT || os_errno == ENOTDIR) code = Errc::not_found;
    if (os_errno == EEXIST) code = Errc::already_exists;
    if (os_errno == ENOSPC || os_errno == EDQUOT) code = Errc::no_space;
    return fail(code, std::string(what) + ": " + std::generic_category().message(os_errno),
                os_errno);
}

}  // namespace berth
