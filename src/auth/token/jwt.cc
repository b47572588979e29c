#include "auth/token/jwt.h"

#include <algorithm>

#include "auth/token/claims.h"
#include "auth/token/trusted_keys.h"
#include "base/encoding.h"
#include "base/text.h"

namespace berth::auth {
namespace {

constexpr std::size_t kTokenBytesMax = 16 << 10;
constexpr std::size_t kJsonDepthMax = 16;
// Keys that are tried for a token that names none.
constexpr std::size_t kTriedMax = 16;

// A token taken apart, not verified.
struct Parts {
    Json header;
    Json payload;
    std::string_view signed_text;
    std::string signature;
};

std::unexpected<Error> refuse(std::string why) {
    return fail(Errc::unauthenticated, std::move(why));
}

std::unexpected<Error> malformed() {
    return refuse("not a well-formed JSON Web Token");
}

Result<Json> parse_object(std::string_view part) {
    const auto text = base64url_decode(part);
    if (!text) return malformed();
    auto object = oci::parse_json(*text, kJsonDepthMax);
    if (!object || !object->is_object()) return malformed();
    return object;
}

Result<Parts> take_apart(std::string_view token) {
    if (token.size() > kTokenBytesMax) return refuse("the token is too long");
    const std::size_t first = token.find('.');
    const std::size_t second = first == token.npos ? first : token.find('.', first + 1);
    if (second == token.npos) return malformed();
    Parts parts;
    parts.signed_text = token.substr(0, second);
    // A third dot is no base64url.
    auto signature = base64url_decode(token.substr(second + 1));
    if (!signature || signature->empty()) return malformed();
    parts.signature = std::move(*signature);
    BERTH_TRY(parts.header, parse_object(token.substr(0, first)));
    BERTH_TRY(parts.payload, parse_object(token.substr(first + 1, second - first - 1)));
    return parts;
}

// Empty where it is missing.
Result<std::string> text_of(const Json& header, const char* name) {
    const auto found = header.find(name);
    if (found == header.end()) return std::string();
    if (!found->is_string()) return malformed();
    return found->get<std::string>();
}

// Media types do not care about case (RFC 7515, 4.1.9).
bool is_type(std::string_view type, std::string_view wanted) {
    return equal_ignoring_case(type, wanted);
}

Result<Algorithm> check_header(const Json& header, const Expectation& expectation) {
    if (header.contains("crit")) {
        return refuse("the token has critical headers, which are not known here");
    }
    BERTH_TRY(const std::string type, text_of(header, "typ"));
    const bool fits = expectation.type.empty()
                          ? type.empty() || is_type(type, "JWT") || is_type(type, "at+jwt")
                          : is_type(type, expectation.type);
    if (!fits) return refuse("the token is of another type");
    BERTH_TRY(const std::string name, text_of(header, "alg"));
    const auto algorithm = parse_algorithm(name);
    if (!algorithm) return refuse("the token is signed by an algorithm that is not accepted");
    return *algorithm;
}

// The certificates that a token brings; Docker's older servers put them into `jwk`.
const Json* certificates_of(const Json& header) {
    if (const auto chain = header.find("x5c"); chain != header.end()) return &*chain;
    const auto jwk = header.find("jwk");
    if (jwk == header.end() || !jwk->is_object()) return nullptr;
    const auto chain = jwk->find("x5c");
    return chain == jwk->end() ? nullptr : &*chain;
}

Result<void> check_signature(const Parts& parts, Algorithm algorithm, const KeySet::Keys& keys,
                             Time now) {
    const auto signed_by = [&](const PublicKey& key) {
        return key.verifies(algorithm, parts.signed_text, parts.signature);
    };
    const auto does_not_fit = [] { return refuse("the token's signature does not fit"); };
    BERTH_TRY(const std::string kid, text_of(parts.header, "kid"));
    const auto [begin, end] = keys.named.equal_range(kid);
    if (begin != end) {
        for (auto each = begin; each != end; ++each) {
            if (signed_by(each->second)) return {};
        }
        return does_not_fit();
    }
    const Json* const chain = certificates_of(parts.header);
    if (chain && !keys.authorities.empty()) {
        BERTH_TRY(const PublicKey key, certified_key(*chain, keys.authorities, algorithm, now));
        if (signed_by(key)) return {};
        return does_not_fit();
    }
    std::size_t tried = 0;
    for (const PublicKey& key : keys.all) {
        if (!kid.empty() || tried == kTriedMax) break;
        if (!(key.algorithms() & only(algorithm))) continue;
        if (signed_by(key)) return {};
        ++tried;
    }
    return fail(Errc::not_found, "the token is signed by a key that is not known here");
}

Result<void> check_claims(const Claims& claims, const Expectation& wanted, Time now) {
    if (!wanted.issuers.empty() &&
        std::ranges::find(wanted.issuers, claims.issuer) == wanted.issuers.end()) {
        return refuse("the token is of another issuer");
    }
    const auto is_wanted = [&](const std::string& audience) {
        return std::ranges::find(wanted.audiences, audience) != wanted.audiences.end();
    };
    if (!wanted.audiences.empty() && std::ranges::none_of(claims.audience, is_wanted)) {
        return refuse("the token is for another audience");
    }
    if (!claims.expires && wanted.needs_expiry) return refuse("the token has no end (exp)");
    if (claims.expires && now >= *claims.expires + wanted.leeway) {
        return refuse("the token has expired");
    }
    if (claims.not_before && now < *claims.not_before - wanted.leeway) {
        return refuse("the token is not valid yet");
    }
    return {};
}

}  // namespace

std::optional<std::string> issuer_of(std::string_view token) {
    const auto parts = take_apart(token);
    if (!parts) return std::nullopt;
    const auto issuer = parts->payload.find("iss");
    if (issuer == parts->payload.end() || !issuer->is_string()) return "";
    return issuer->get<std::string>();
}

Result<Claims> verify_jwt(std::string_view token, const KeySet& keys,
                          const Expectation& expectation, Time now) {
    const NoErrorsLeft cleared;
    BERTH_TRY(const Parts parts, take_apart(token));
    BERTH_TRY(const Algorithm algorithm, check_header(parts.header, expectation));
    BERTH_CHECK(check_signature(parts, algorithm, keys.keys(), now));
    BERTH_TRY(Claims claims, parse_claims(parts.payload));
    BERTH_CHECK(check_claims(claims, expectation, now));
    return claims;
}

std::string sign_jwt(const SigningKey& key, std::string_view type, std::string_view claims) {
    const Json header{{"typ", type}, {"alg", key.algorithm()}, {"kid", key.id()}};
    std::string token = base64url_encode(as_bytes(header.dump()));
    token.append(".").append(base64url_encode(as_bytes(claims)));
    const std::string signature = key.sign(token);
    return token.append(".").append(base64url_encode(as_bytes(signature)));
}

}  // namespace berth::auth
