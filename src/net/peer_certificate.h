// Reads the names of a certificate. Whoever signed it chose them freely: they are data.
#pragma once

#include <openssl/x509.h>

#include "base/clock.h"
#include "net/peer.h"

namespace berth::net {

PeerCertificate read_certificate(const X509& certificate);

// The certificate's notAfter.
Time expiry_of(const X509& certificate);

}  // namespace berth::net
