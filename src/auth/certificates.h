// Certificates: who a client certificate stands for (mutual TLS). TLS has verified it against
// http.tls.clientcas; here its names become a user's.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "auth/verifier.h"

namespace berth::auth {

struct CertificateOptions {
    // Names (a URI, an e-mail address, a DNS name or a CN, in this order) → the user; `robot:NAME`
    // makes it a robot.
    std::map<std::string, std::string> users;
    // For a certificate that `users` does not name: which of its names is the user's (the first of
    // its kind). A URI is taken whole: spiffe://example.org/ci.
    enum class Name { none, common_name, dns, email, uri } name = Name::common_name;
};

// Says nothing of other credentials. A name with a colon (but for a URI's ://) or a control
// character is nobody's: it could pass for another kind of name. Errc::unauthenticated for a
// certificate that has expired since TLS verified it. `clock` outlives the verifier.
std::unique_ptr<Verifier> make_certificates(CertificateOptions options, const Clock& clock);

}  // namespace berth::auth
