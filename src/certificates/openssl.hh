// What OpenSSL's tool says of a certificate. It reads what people have given, so it runs as a confined process.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "certificates/pem.hh"
#include "model/certificate.hh"

namespace pushrod {

// Is the pair fit to be shown for the host at this time? Checks that the key is the certificate's, that each further
// certificate certifies the one before it, the dates, and that the certificate is valid for the host (a wildcard covers
// one label). Throws UserError, which says what is wrong and what to do. `source` and `added` are for the result.
Certificate check_pair(const PemPair& pair, const HostName& host, CertificateSource source, WallTime now);

// What the CA calls a certificate (PEM) when it is asked about its renewal (RFC 9773, 4.1): its issuer's key identifier
// and its serial number, in base64. Absent for one without a key identifier.
std::optional<std::string> renewal_id(const std::string& certificate);
std::optional<std::string> parse_renewal_id(std::string_view text);  // of `openssl x509`; pure

// Does this machine trust the CA? Most clients then do, too. Otherwise why not, in OpenSSL's words.
std::string distrust_of(const PemPair& pair);

// The answer of `openssl x509`, parsed: absent fields throw Error.
Certificate parse_certificate_text(std::string_view text, const HostName& host);

}  // namespace pushrod
