// The key with which an app's builds fetch private git repositories: submodules and dependencies.
#pragma once

#include <string>

#include "base/secret.hh"

namespace pushrod {

struct DeployKey {
  std::string public_key;   // "ssh-ed25519 AAAA… pushrod-blog"
  std::string fingerprint;  // "SHA256:…"
  Secret private_key;       // as ssh-keygen writes it
  // Of the servers that builds have met, as ssh writes it: a server is believed at the first meeting, and from then on
  // it must have the same key.
  std::string known_hosts{};
};

}  // namespace pushrod
