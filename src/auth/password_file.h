// PasswordFile: an htpasswd file in every format that Apache's htpasswd writes (bcrypt
// $2y$/$2a$/$2b$, $apr1$, {SHA}, $5$/$6$ SHA-crypt, DES crypt), re-read when it changes.
//
// Thread-safe. A changed file is noticed, and a broken one keeps the last good one in force, as
// WatchedFile says.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/verifier.h"
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

class PasswordFile final : public Verifier {
  public:
    // Gets sentences that are complete: they name the file and what stays in force.
    using Report = std::function<void(const Error&)>;

    // Errc::not_found (the detail says how to make one) or Errc::invalid when the first reading
    // fails. `hashes_at_once`: how many passwords are hashed at the same time, at most, so that
    // guessing cannot take all cores.
    static Result<std::unique_ptr<PasswordFile>> open(const std::string& path, const Clock& clock,
                                                      const Report& report,
                                                      std::ptrdiff_t hashes_at_once = 1);
    ~PasswordFile() override;

    std::uint64_t version() override;
    // Takes as long for an unknown user as for a known one.
    Result<std::optional<Login>> verify(const Credentials& credentials) override;
    bool keeps_users() const override { return true; }
    Result<std::optional<Account>> find(std::string_view user) override;

    // The user's hash, or for an unknown user a hash like those of the others that fits no
    // password.
    struct Entry {
        std::string hash;
        bool known = false;
    };
    Entry entry_of(std::string_view user);

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
