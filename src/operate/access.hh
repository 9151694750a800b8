// access: who may send requests to an app. What is set counts at once, in every state of the app, and stays through
// releases.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/secret.hh"
#include "model/access_rules.hh"
#include "operate/json.hh"
#include "operate/session.hh"

namespace pushrod {

struct AccessView {
  AppName app;
  std::vector<std::string> networks, users;
  std::optional<unsigned> rate;
  bool login = false;
};
Json to_json(const AccessView& view);

AccessView access_of(Session& session, const AppName& name);
// Empty: all networks.
AccessView set_access_networks(Session& session, const AppName& name, const std::vector<std::string>& networks);
// Absent: no limit.
AccessView set_access_rate(Session& session, const AppName& name, std::optional<unsigned> rate);
// The password of a new user, or a new one of a user that is there. It is shown once, and kept nowhere.
Secret set_access_user(Session& session, const AppName& name, const std::string& user);
AccessView remove_access_user(Session& session, const AppName& name, const std::string& user);

// Only holders of a key that may see the app get in, through login_link(). Turning it on again ends all sessions.
AccessView set_access_login(Session& session, const AppName& name, bool on);
// An address that opens a session of seven days in a browser: for five minutes, once.
std::string login_link(Session& session, const AppName& name);

}  // namespace pushrod
