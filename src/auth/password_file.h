// PasswordFile: an htpasswd file in every format that Apache's htpasswd writes (bcrypt
// $2y$/$2a$/$2b$, $apr1$, {SHA}, $5$/$6$ SHA-crypt, DES crypt), re-read when it changes.
//
// Thread-safe. A changed file is noticed by its stat (device, inode, size, modification time to the
// nanosecond), looked at no more than once a second. A file that cannot be read or parsed keeps the
// last good one in force, and the error is reported once through `report`.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace berth::auth {

struct PasswordEntry {
    std::string user;
    std::string hash;
};

// Comments and blank lines are skipped; the first entry of a user counts. Errc::invalid names the
// line.
Result<std::vector<PasswordEntry>> parse_password_file(std::string_view text);

// Does the password fit the hash? Takes as long as the hash's cost says: called from a pool.
bool verify_password(std::string_view password, const std::string& hash);

// A bcrypt hash ($2y$) as `htpasswd -B` makes it. Errc::invalid for a password over bcrypt's 72
// bytes.
Result<std::string> hash_password(std::string_view password, int cost = 10);

class PasswordFile {
  public:
    using Report = std::function<void(const Error&)>;

    // Errc::not_found (the detail says how to make one) or Errc::invalid when the first reading
    // fails.
    static Result<std::unique_ptr<PasswordFile>> open(std::string path, const Clock& clock,
                                                      Report report);
    ~PasswordFile();

    // Changes when the file's content did; cheap, never blocks for longer than a stat once a
    // second.
    std::uint64_t version();
    // The user's hash, or for an unknown user a hash of the same cost that fits no password, so
    // that checking takes as long (no user enumeration by timing).
    struct Lookup {
        std::string hash;
        bool known = false;
    };
    Lookup find(std::string_view user);

  private:
    struct State;
    explicit PasswordFile(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Rewrites the file safely (temporary file beside it, sync, rename, same owner and mode) with
// `change` applied to its lines; comments and order are kept. Used by `berth user`.
Result<void> set_password(const std::string& path, std::string_view user, const std::string& hash);
Result<void> remove_user(const std::string& path, std::string_view user);

}  // namespace berth::auth
