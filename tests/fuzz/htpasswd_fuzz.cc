// The password file and the Authorization header: no input crashes them, what is read is what
// stands there, and a changed hash fits nothing. Only hashes that are cheap are verified: a file's
// cost is its owner's choice, and no attacker's.
#include <algorithm>

#include "auth/password_file.h"
#include "auth/verifier.h"
#include "base/encoding.h"
#include "fuzz/fuzz.h"

using namespace berth;

namespace {

constexpr std::size_t kVerifiedMax = 4;

bool is_cheap(const std::string& hash) {
    return hash.starts_with("$apr1$") || !(hash.starts_with('$') || hash.starts_with('_'));
}

bool has_control(std::string_view text) {
    return std::ranges::any_of(
        text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void check_file(std::string_view text) {
    const auto entries = auth::parse_password_file(text);
    if (!entries) return;
    std::size_t verified = 0;
    for (const auth::PasswordEntry& entry : *entries) {
        fuzz::must(!entry.user.empty() && !entry.user.contains(':'), "a user has a name");
        fuzz::must(!entry.hash.contains(':') && !entry.hash.contains('\n'), "a hash is one field");
        fuzz::must(text.contains(entry.user + ":" + entry.hash), "an entry stands in the file");
        if (!is_cheap(entry.hash) || verified++ == kVerifiedMax) continue;
        fuzz::must(!auth::verify_password(entry.hash, entry.hash), "no hash is its own password");
        std::string damaged = entry.hash;
        if (!damaged.empty()) damaged.back() = '~';
        fuzz::must(!auth::verify_password("secret", damaged), "a damaged hash fits nothing");
    }
}

void check_header(std::string_view text) {
    const auto credentials = auth::parse_authorization(text);
    if (!credentials) return;
    const bool is_basic = credentials->scheme == auth::Credentials::Scheme::basic;
    fuzz::must(credentials->user.empty() != is_basic, "Basic has a user, and only Basic");
    fuzz::must(!credentials->user.contains(':'), "a user has no colon");
    fuzz::must(!has_control(credentials->user) && !has_control(credentials->secret),
               "credentials have no control characters");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    check_file(text);
    check_header(text);
    check_header("Basic " + base64_encode(as_bytes(text)));
    return 0;
}
