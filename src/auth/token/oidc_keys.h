// OidcKeys: the keys of one OpenID Connect provider, kept up to date.
//
// Fetched keys are fetched anew when they are old, or when somebody needs newer ones. One at a time
// fetches; who can use the keys at hand does so meanwhile, and the others wait for its end.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "auth/token/key_set.h"
#include "auth/token/oidc.h"
#include "base/clock.h"
#include "base/result.h"

namespace berth::auth {

// Thread-safe.
class OidcKeys {
  public:
    struct Options {
        std::chrono::seconds max_age;
        std::chrono::seconds refetch_min;
        Fetch fetch;
        std::function<void(const Error&)> report;  // gets each failure once, with what it means
    };
    // Reads the file, where the keys are in one. Errc::invalid for a URL that is not https, and not
    // http on this machine.
    static Result<std::unique_ptr<OidcKeys>> open(const OidcProvider& provider, Options options,
                                                  const Clock& clock);
    virtual ~OidcKeys() = default;

    // Counts up when a key may have vanished. Never waits.
    virtual std::uint64_t version() = 0;
    // May fetch. Errc::unavailable when there are none.
    virtual Result<KeySet> current() = 0;
    // After the current ones did not know a token's key: newer ones. Errc::unavailable when the
    // provider could not be asked for them.
    virtual Result<KeySet> newer() = 0;
};

}  // namespace berth::auth
