// PEM text, taken apart into its blocks. What a block says is OpenSSL's business (openssl.hh).
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pushrod {

// What people give: the certificate, those that certify it, and the private key, in any order.
struct PemPair {
  std::vector<std::string> chain;  // each block with its lines and a newline; the host's own certificate first
  std::string key;                 // secret
  // The chain, then the key: what HAProxy reads. No empty lines.
  std::string text() const;
};

// Throws UserError, which says what is missing, too much or in another format. Text between blocks is left out.
PemPair parse_pem(std::string_view text);

}  // namespace pushrod
