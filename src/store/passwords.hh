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

}  // namespace pushrod
