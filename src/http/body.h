// Body: the bytes of a request, pulled by whoever handles it.
//
// Belongs to a connection and its loop. Nothing is read from the peer before the first read():
// `Expect: 100-continue` is answered then, so a request refused early never gets its body sent.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "base/task.h"

namespace berth::http {

class Body {
  public:
    virtual ~Body() = default;

    // Most bytes it may have: passing it is Errc::too_large, at the first read() if the length was
    // announced. Without a call there is no limit.
    virtual void limit(std::uint64_t bytes_max) = 0;
    // As announced by Content-Length; nullopt for a chunked body.
    virtual std::optional<std::uint64_t> size() const = 0;
    // Fills `out`; fewer bytes only at the end of the body, or before an error, which the next call
    // then returns: what a peer sent before it went away is not lost. Errors: Errc::cancelled (the
    // peer went away or was too slow), Errc::invalid (bad chunked coding), Errc::too_large.
    virtual Task<Result<std::size_t>> read(MutableBytes out) = 0;
};

}  // namespace berth::http
