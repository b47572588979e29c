// SigningKeys: the keys of the token service, in a folder that command line and server share. Each
// is a file `NAME.pem`; the newest (by its time of change) signs, all verify. What is deleted
// verifies no more; whatever else lies there is not looked at.
//
// The folder (0700) and its first key (0600) are made where they are missing; two processes may do
// so at once. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "auth/token/key_set.h"
#include "auth/token/signing_key.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/watched_file.h"

namespace berth::auth {

class SigningKeys {
  public:
    using Report = std::function<void(const Error&)>;
    // An empty `folder`: one key that nobody else has. `report`: what is wrong with the folder
    // later on, which leaves the keys before in force; once.
    static Result<std::unique_ptr<SigningKeys>> open(std::string folder, std::string_view algorithm,
                                                     const Clock& clock, Report report);

    struct Keys {
        std::vector<SigningKey> all;  // the newest first, which signs; never empty
        KeySet verifying;
        std::string jwks;
    };
    // Reads the folder if it changed.
    std::shared_ptr<const Keys> current();
    // Counts up when the keys change. For the hot path.
    std::uint64_t version();

  private:
    SigningKeys(std::string folder, const Clock& clock, Report report)
        : folder_(std::move(folder)),
          clock_(clock),
          report_(std::move(report)),
          watch_(folder_, clock) {}
    void read_again();

    const std::string folder_;
    const Clock& clock_;
    const Report report_;
    FileWatch watch_;
    std::mutex mutex_;
    std::shared_ptr<const Keys> keys_;
    std::uint64_t read_ = 0;  // the version
    bool again_ = false;      // read once more at again_at_
    SteadyTime again_at_;
    std::atomic<std::uint64_t> changes_{0};
    std::string reported_;
};

struct KeyFile {
    std::string path;
    SigningKey key;
    Time changed;
};
// The newest first. Errc::not_found: there is no such folder. Errc::invalid names a file that is no
// key.
Result<std::vector<KeyFile>> list_keys(const std::string& folder);
// Makes a new key, by which a running server signs within two seconds. Returns its name.
Result<std::string> rotate_keys(const std::string& folder, std::string_view algorithm);
// What it signed is void. Errc::not_found; Errc::conflict: it is the only one.
Result<void> remove_key(const std::string& folder, std::string_view id);

}  // namespace berth::auth
