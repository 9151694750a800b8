// Passwords that Pushrod makes for clients of apps. They are random, so a plain hash of one can be checked for each
// request and tells nothing.
#pragma once

#include "base/secret.hh"
#include "model/access_rules.hh"

namespace pushrod {

struct NewPassword {
  Secret password;  // 24 letters and digits: 142 bits
  AccessUser user;
};
NewPassword make_password(const std::string& name);

// What signs an app's login links and sessions: 256 random bits, hexadecimal.
std::string make_login_secret();
// The token of a link for the holder of this key (0: the operator on the machine): "EXPIRY.NONCE.ID.SIGNATURE", with
// the Unix time in seconds after which it is worth nothing. The router accepts it once.
std::string make_login_token(const std::string& secret, std::int64_t key, std::int64_t expiry);

}  // namespace pushrod
