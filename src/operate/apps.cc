#include "operate/apps.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/apps.hh"
#include "deploy/traffic.hh"
#include "git/repository.hh"
#include "operate/app_views.hh"
#include "operate/audit.hh"
#include "operate/services.hh"

namespace pushrod {

namespace {

std::string described(const Source& source) {
  auto text = fmt::format("repo {}, branch {}", source.repo.str(), escaped(source.branch.str()));
  if (!source.path.empty()) text += ", path " + escaped(source.path);
  if (!source.config.empty()) text += ", config " + escaped(source.config);
  if (source.build_root) text += ", build root " + (source.build_root->empty() ? "." : escaped(*source.build_root));
  return text;
}

}  // namespace

CreatedApp create_app(Session& session, const AppName& name, const Source& source) {
  session.require_admin();
  const auto platform = session.platform();
  audited(session, {name.str(), "app create", described(source)}, [&] { create_app(platform, name, source); });
  const auto app = session.store().app(name).value();
  return {app, url_of(platform, app.name), push_url_of(session.settings(), app.repo),
          Repository(session.layout().repo(app.repo)).head_of(app.branch)};
}

Change rename_change(Session& session, const AppName& name, const AppName& new_name) {
  session.require_admin();
  const auto app = session.require_app(name, Right::Administer);
  if (new_name == app.name) throw UserError(fmt::format("no change: the name of the app is already {}", name.str()));
  if (session.store().app(new_name)) {
    throw UserError(fmt::format("an app named {} already exists", new_name.str()), "choose another name");
  }
  auto change = change_of(session, app, DeploymentKind::Rename);
  change.detail = detail_of({app.name, new_name});
  change.new_name = new_name;
  return change;
}

namespace {

std::vector<BackingService> services_of_alone(Session& session, const App& app) {
  std::vector<BackingService> services;
  for (auto& service : session.store().services()) {
    const auto attachments = session.store().attachments_to(service.id);
    const bool is_of_app_alone = !attachments.empty() && std::ranges::all_of(attachments, [&](const auto& attachment) {
      return attachment.app_id == app.id;
    });
    if (is_of_app_alone) services.push_back(std::move(service));
  }
  return services;
}

}  // namespace

AppRemoval removal_of(Session& session, const AppName& name) {
  const auto app = session.require_app(name, Right::Administer);
  return {app, session.store().apps_of(app.repo).size() == 1, services_of_alone(session, app)};
}

AppRemoval destroy_app(Session& session, const AppName& name) {
  auto removal = removal_of(session, name);
  audited(session, {name.str(), "app destroy", ""}, [&] { destroy_app(session.platform(), removal.app); });
  return removal;
}

AppRemoval destroy_app_with_services(Session& session, const AppName& name) {
  session.require_admin();
  auto removal = destroy_app(session, name);
  for (const auto& service : removal.services) destroy_service(session, service.name);
  return removal;
}

}  // namespace pushrod
