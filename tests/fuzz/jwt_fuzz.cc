// Tokens, key sets and scopes: no input crashes them, no text but the good one itself is accepted
// as a token, and what is signed is bounded, whatever it says.
#include <algorithm>

#include "auth/token/jwt.h"
#include "auth/token/scope.h"
#include "base/encoding.h"
#include "fuzz/fuzz.h"
#include "unit/auth/token/certificate_fixtures.h"
#include "unit/auth/token/forge.h"

using namespace berth;

namespace {

constexpr Time kNow(std::chrono::milliseconds(1'767'225'600'000));  // the first day of 2026

// Signed by kLeafKey; also the corpus's seed `good`.
constexpr std::string_view kGood =
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJ1cyIsInN1YiI6ImEiLCJhdWQiOiJyIiw"
    "iZXhwIjoxODkzNDU2MDAwfQ.DMhADykzAXRbPqebQ-2ev_mV7btmDBSRaCWDYBwymNF-bdL5FKthsk9g"
    "fuhlEUAUhjZAZLx_QJ7mazgQELB8YA";

const auth::SigningKey& key() {
    static const auth::SigningKey key = auth::SigningKey::parse(auth::kLeafKey).value();
    return key;
}

const auth::KeySet& keys() {
    static const auth::KeySet keys =
        auth::KeySet::parse_certificates(std::string(auth::kRoot) + std::string(auth::kLeaf))
            .value();
    return keys;
}

auth::Expectation anything() {
    auth::Expectation expectation;
    expectation.needs_expiry = false;
    return expectation;
}

bool accepted(std::string_view token) {
    return auth::verify_jwt(token, keys(), anything(), kNow).has_value();
}

void check_token(std::string_view text) {
    fuzz::must(!accepted(text) || text == kGood, "only the token that was signed is accepted");
    static_cast<void>(auth::issuer_of(text));
    // The parts by turns, so that changes of one do not break the others' encoding.
    const std::string encoded = base64url_encode(as_bytes(text));
    const std::size_t first = kGood.find('.'), last = kGood.rfind('.');
    const std::string head(kGood.substr(0, first)), tail(kGood.substr(last + 1));
    const std::string body(kGood.substr(first + 1, last - first - 1));
    for (const std::string& token :
         {encoded + "." + body + "." + tail, head + "." + encoded + "." + tail,
          head + "." + body + "." + encoded}) {
        fuzz::must(!accepted(token) || token == kGood, "no changed part is accepted");
    }
}

// As a careless issuer would sign it.
void check_signed(std::string_view text) {
    const std::size_t line = std::min(text.find('\n'), text.size());
    const std::string token = auth::forge(key(), text.substr(0, line), text.substr(line));
    const auto claims = auth::verify_jwt(token, keys(), anything(), kNow);
    if (!claims) {
        fuzz::must(!claims.error().detail.empty(), "a refusal says why");
        return;
    }
    for (const auto& time : {claims->expires, claims->not_before, claims->issued_at}) {
        fuzz::must(!time || time->time_since_epoch().count() >= 0, "times are after 1970");
    }
    fuzz::must(!claims->expires || *claims->expires > kNow - std::chrono::minutes(1),
               "what has expired is refused");
}

void check_keys(std::string_view text) {
    const auto set = auth::KeySet::parse_jwks(text);
    fuzz::must(!set || !auth::verify_jwt(kGood, *set, anything(), kNow),
               "keys that did not sign do not verify");
    static_cast<void>(auth::KeySet::parse_certificates(text));
    static_cast<void>(auth::SigningKey::parse(text));
}

void check_scopes(std::string_view text) {
    const auto scopes = auth::Scope::parse(text);
    if (!scopes) return;
    for (const auth::Scope& scope : *scopes) {
        const auto again = auth::Scope::parse(scope.text());
        fuzz::must(again && again->size() == 1 && again->front() == scope, "a scope is its text");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    check_token(text);
    check_signed(text);
    check_keys(text);
    check_scopes(text);
    return 0;
}
