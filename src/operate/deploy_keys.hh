// The key with which an app's builds fetch private git repositories. Needs the right to deploy.
#pragma once

#include <string>
#include <vector>

#include "operate/json.hh"
#include "operate/session.hh"

namespace pushrod {

struct DeployKeyView {
  std::string public_key;
  std::string fingerprint;
  std::vector<std::string> known_hosts;  // lines, as ssh writes them
  bool is_new = false;
};
Json to_json(const DeployKeyView& view);

enum class DeployKeyChange { None, Renew, ForgetHosts };
// Makes the key when the app has none. Renew: makes another one, and the old one is gone. ForgetHosts: the servers that
// builds have met are believed again at the next meeting, whatever key they show.
DeployKeyView deploy_key(Session& session, const AppName& app, DeployKeyChange change);

}  // namespace pushrod
