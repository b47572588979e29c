// Oidc: workloads that prove who they are by a token of their own platform (GitHub Actions, GitLab
// CI, Jenkins, Kubernetes): OpenID Connect Core 1.0 ID tokens, without any secret kept here.
//
// The keys of a provider are found by its discovery document, fetched when the first token comes,
// kept, and fetched anew when they are old or a token names a key that is not among them. A
// provider that does not answer leaves the keys in force that were fetched; see oidc_keys.h.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "auth/verifier.h"
#include "base/clock.h"

namespace berth::auth {

struct OidcProvider {
    std::string name;                    // in rules: oidc:NAME
    std::string issuer;                  // the token's iss, and where the discovery document is
    std::vector<std::string> audiences;  // any of these must stand in the token's aud
    std::string jwks = {};               // a URL or a file; empty: as the discovery document says
    std::string ca = {};                 // PEM file for its TLS; empty: the system's
    std::vector<std::string> algorithms = {};  // empty: all that are known
};

struct OidcOptions {
    std::vector<OidcProvider> providers;
    std::chrono::seconds keys_max_age{3600};  // then they are fetched anew
    // How often keys are looked for that are not known, and a provider that failed is asked again.
    std::chrono::seconds refetch_min{30};
};

// Fetches a document by https (http only from this machine), bounded in size and time. May block.
using Fetch = std::function<Result<std::string>(const std::string& url, const std::string& ca)>;

// Tokens come as bearer, or as a Basic password (docker login -u USER --password-stdin). The
// identity is called NAME:SUBJECT. A token must have `exp` and `iat`, and be younger than a day,
// whatever its end. Errc::invalid says which provider is configured wrongly; nothing is fetched
// yet. `clock` outlives it.
Result<std::unique_ptr<Verifier>> make_oidc(OidcOptions options, const Clock& clock,
                                            const Fetch& fetch,
                                            const std::function<void(const Error&)>& report);

}  // namespace berth::auth
