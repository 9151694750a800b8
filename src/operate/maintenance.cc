#include "operate/maintenance.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/traffic.hh"
#include "operate/audit.hh"

namespace pushrod {

namespace {

MaintenanceView view_of(const App& app, Maintenance state, std::size_t page_bytes) {
  MaintenanceView view{app.name, state, page_bytes, {}};
  switch (state) {
    case Maintenance::Off:
      view.meaning = !app.live ? "the app is not deployed" : app.stopped ? "the app is stopped" : "requests are served";
      break;
    case Maintenance::Hold:
      view.meaning = "requests wait";
      break;
    case Maintenance::Page:
      view.meaning = page_bytes == 0 ? "503 and the usual page"
                                     : fmt::format("503 and a page of its own ({})", format_bytes(page_bytes));
      break;
  }
  return view;
}

}  // namespace

Json to_json(const MaintenanceView& view) {
  return {{"app", view.app.str()}, {"maintenance", to_string(view.state)}, {"page_bytes", view.page_bytes}};
}

MaintenanceView set_maintenance(Session& session, const AppName& name, Maintenance state, const std::string& page) {
  const auto app = session.require_app(name, Right::Deploy);
  auto view = view_of(app, state, page.size());
  const std::string action = state == Maintenance::Off ? "maintenance off" : "maintenance on";
  audited(session, {name.str(), action, view.meaning}, [&] {
    session.store().set_maintenance(app.id, state, page);
    publish_routes(session.platform());
  });
  return view;
}

MaintenanceView maintenance_of(Session& session, const AppName& name) {
  const auto app = session.require_app(name, Right::See);
  return view_of(app, app.maintenance, session.store().maintenance_page(app.id).size());
}

}  // namespace pushrod
