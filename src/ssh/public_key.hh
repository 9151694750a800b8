// One SSH public key, as a person pastes it.
#pragma once

#include <string>

namespace pushrod {

struct PublicKey {
  std::string text;         // "<type> <base64>": no options, no comment
  std::string fingerprint;  // "SHA256:…", as ssh-keygen -l prints it
};

// Exactly one key of a type that OpenSSH accepts (ssh-ed25519, ssh-rsa of 2048 to 16384 bits, ecdsa-sha2-*, sk-*).
// Options, several lines, a private key, broken base64, or a type that contradicts the blob: UserError that says what
// it looks like and what to give instead.
PublicKey parse_public_key(const std::string& text);

}  // namespace pushrod
