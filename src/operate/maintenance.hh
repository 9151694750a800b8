// Maintenance: what clients get while an operator works on an app. Not a deployment: the instances go on, and only the
// answers to requests change.
#pragma once

#include <string>

#include "operate/json.hh"
#include "operate/session.hh"

namespace pushrod {

struct MaintenanceView {
  AppName app;
  Maintenance state = Maintenance::Off;
  std::size_t page_bytes = 0;  // of its own page
  std::string meaning;         // what requests get: "requests wait"
};
Json to_json(const MaintenanceView& view);

// `page`: empty for the usual one; only with Maintenance::Page. Returns the state after the change.
MaintenanceView set_maintenance(Session& session, const AppName& app, Maintenance state, const std::string& page);
MaintenanceView maintenance_of(Session& session, const AppName& app);

}  // namespace pushrod
