// PasswordFile: an htpasswd file in every format that Apache's htpasswd writes (bcrypt
// $2y$/$2a$/$2b$, $apr1$, {SHA}, $5$/$6$ SHA-crypt, DES crypt), re-read when it changes.
//
// Thread-safe. A changed file is noticed by its stat (device, inode, size, time of change to the
// nanosecond). A file that cannot be read or parsed keeps the last good one in force, is tried
// again, and the error is reported once through `report`.
#pragma once

#include <cstdint>
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

// Comments and blank lines are skipped; of several entries of one user the first counts.
// Errc::invalid names the line.
Result<std::vector<PasswordEntry>> parse_password_file(std::string_view text);

// Can any password fit this hash? False for passwords in plain text and for locked entries.
bool is_password_hash(std::string_view hash);

// Does the password fit the hash? Takes as long as the hash's cost says: called from a pool.
bool verify_password(std::string_view password, const std::string& hash);

// A bcrypt hash ($2y$) as `htpasswd -B` makes it. Errc::invalid for a password that is empty, over
// bcrypt's 72 bytes or with a NUL in it.
Result<std::string> hash_password(std::string_view password, int cost = 10);

class PasswordFile {
  public:
    // Gets sentences that are complete: they name the file and what stays in force.
    using Report = std::function<void(const Error&)>;

    // Errc::not_found (the detail says how to make one) or Errc::invalid when the first reading
    // fails.
    static Result<std::unique_ptr<PasswordFile>> open(std::string path, const Clock& clock,
                                                      Report report);
    ~PasswordFile();

    // Changes when the file does. For the hot path: never reads the file, and looks at its stat no
    // more than once in 2 ms.
    std::uint64_t version();
    // The user's hash, or for an unknown user a hash like those of the others that fits no
    // password, so that checking takes as long (no user enumeration by timing). Looks at the stat,
    // and reads the file if it changed: called from a pool. `version` is that of the entries used.
    struct Lookup {
        std::string hash;
        bool known = false;
        std::uint64_t version = 0;
    };
    Lookup find(std::string_view user);

  private:
    struct State;
    explicit PasswordFile(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Rewrite the file safely (temporary file beside it, sync, rename, same owner and mode) with one
// user's line changed, added at the end, or removed; comments and order are kept. Writers wait for
// each other. A missing file is made by set_password with mode 0640. Errc::invalid for a name that
// cannot stand in the file, Errc::not_found for removing whom it does not name.
Result<void> set_password(const std::string& path, std::string_view user, const std::string& hash);
Result<void> remove_user(const std::string& path, std::string_view user);

}  // namespace berth::auth
