#include <apr_general.h>
#include <apr_md5.h>

#include <array>
#include <cstddef>

#include "auth/password_file.h"
#include "base/random.h"

namespace berth::auth {
namespace {

constexpr std::size_t kBcryptBytesMax = 72;
// More than htpasswd itself takes; it bounds what a guess costs, as $apr1$ hashes the whole
// password a thousand times.
constexpr std::size_t kPasswordBytesMax = 512;
constexpr std::size_t kDesCryptBytes = 13;

// libaprutil reads passwords as C strings.
bool has_nul(std::string_view text) {
    return text.find('\0') != text.npos;
}

void initialise_apr() {
    static const apr_status_t done = ::apr_initialize();
    static_cast<void>(done);
}

}  // namespace

bool is_password_hash(std::string_view hash) {
    constexpr std::string_view kDesAlphabet =
        "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    return hash.starts_with('$') || hash.starts_with("{SHA}") ||
           (hash.size() == kDesCryptBytes && hash.find_first_not_of(kDesAlphabet) == hash.npos);
}

bool verify_password(std::string_view password, const std::string& hash) {
    if (password.size() > kPasswordBytesMax || has_nul(password)) return false;
    if (hash.empty() || has_nul(hash)) return false;
    initialise_apr();
    // Thread-safe: libaprutil uses crypt_r, or crypt under a lock of its own.
    return ::apr_password_validate(std::string(password).c_str(), hash.c_str()) == APR_SUCCESS;
}

Result<std::string> hash_password(std::string_view password, int cost) {
    if (password.empty()) return fail(Errc::invalid, "the password is empty");
    if (password.size() > kBcryptBytesMax) {
        return fail(Errc::invalid, "the password is longer than bcrypt's 72 bytes");
    }
    if (has_nul(password)) return fail(Errc::invalid, "the password holds a NUL character");
    constexpr int kCostMin = 4, kCostMax = 17;  // as htpasswd -C
    if (cost < kCostMin || cost > kCostMax) return fail(Errc::invalid, "the cost is not 4 to 17");
    initialise_apr();
    std::array<std::byte, 16> salt{};
    random_bytes(salt);
    std::array<char, 120> hash{};
    const apr_status_t status = ::apr_bcrypt_encode(
        std::string(password).c_str(), static_cast<unsigned>(cost),
        reinterpret_cast<const unsigned char*>(salt.data()), salt.size(), hash.data(), hash.size());
    if (status != APR_SUCCESS) return fail(Errc::io, "bcrypt failed", status);
    return std::string(hash.data());
}

}  // namespace berth::auth
