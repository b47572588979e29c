// Result<T>: how every function of Berth that can fail says so.
//
// An Error is a small value: a code chosen by what the caller does next, a sentence for people, and
// the operating system's error number where there is one. Codes are shared by all layers; a layer
// adds context going up and never invents codes of its own. Only api/error_table.cc translates
// codes to the protocol's. Exceptions are for bugs, exhausted memory and third-party code; they are
// caught at the request and the job boundary only.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace berth {

enum class Errc {
    not_found,        // the named thing is not there
    already_exists,   // the name is taken
    invalid,          // the caller's input is wrong; the detail says how
    unauthenticated,  // who is it?
    denied,           // we know who; not allowed
    conflict,         // somebody else is at it, or the state does not fit
    out_of_range,     // a range or an offset does not fit
    too_large,        // a limit was passed
    unsupported,      // understood, but not done here
    rate_limited,     // later, at a slower pace
    unavailable,      // overloaded or shutting down; trying again may help
    cancelled,        // the caller or its connection went away
    no_space,         // the disk is full, or nearly
    io,               // the operating system failed us
    corrupt,          // stored bytes are not what they should be
};

// The code's name in snake case, for logs.
std::string_view name_of(Errc code);

struct Error {
    Errc code{};
    std::string detail;  // a sentence without a final period; never holds a secret
    int os_errno = 0;    // 0: not from the operating system

    // The same error with `context: ` before its detail.
    Error with_context(std::string_view context) &&;
};

template <class T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Errc code, std::string detail, int os_errno = 0) {
    return std::unexpected<Error>(Error{code, std::move(detail), os_errno});
}

// Errc::io (or not_found, already_exists, no_space where errno says so) with `what: strerror`.
std::unexpected<Error> fail_errno(std::string_view what, int os_errno);

}  // namespace berth

#define BERTH_CONCAT_(a, b) a##b
#define BERTH_CONCAT(a, b) BERTH_CONCAT_(a, b)

// BERTH_TRY(auto x, expression): x is the value, or the function returns the error.
#define BERTH_TRY(declaration, ...)                                                 \
    auto BERTH_CONCAT(result_, __LINE__) = (__VA_ARGS__);                           \
    if (!BERTH_CONCAT(result_, __LINE__))                                           \
        return std::unexpected(std::move(BERTH_CONCAT(result_, __LINE__).error())); \
    declaration = std::move(*BERTH_CONCAT(result_, __LINE__))

// BERTH_CHECK(expression): the function returns the error, if there is one.
#define BERTH_CHECK(...)                                                              \
    do {                                                                              \
        auto berth_checked = (__VA_ARGS__);                                           \
        if (!berth_checked) return std::unexpected(std::move(berth_checked.error())); \
    } while (false)
