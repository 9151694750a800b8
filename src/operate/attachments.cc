#include "operate/attachments.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "operate/audit.hh"
#include "operate/change.hh"
#include "os/file_lock.hh"
#include "os/files.hh"
#include "services/attachments.hh"

namespace pushrod {

namespace {

// For an app that is not deployed: its first release has the settings.
void save(Session& session, const App& app, const std::string& detail,
          const std::function<SettingChanges(const AppSettings&)>& changes_of) {
  audited(session, {app.name.str(), "config", detail}, [&] {
    make_directory(session.layout().locks());
    const auto lock = FileLock::acquire(session.layout().app_lock(app.name));
    lock.announce("a change of services of " + app.name.str());
    auto& store = session.store();
    const auto settings = store.settings(app.id);
    const auto changes = changes_of(settings);
    store.together([&] {
      store.set_settings(app.id, with_changes(settings, changes));
      store.follow_attachments_of(app.id);
    });
  });
}

std::string_view verb_of(ServiceChange::Kind kind) {
  switch (kind) {
    case ServiceChange::Kind::Attach:
      return "attach";
    case ServiceChange::Kind::Detach:
      return "detach";
    case ServiceChange::Kind::Rotate:
      return "rotate credentials of";
  }
  throw Error("a change of a service that this Pushrod does not know");
}

AttachmentChange change_or_save(Session& session, const App& app, const ServiceChange& wanted,
                                const std::function<SettingChanges(const AppSettings&)>& changes_of) {
  const auto detail = fmt::format("{} service {}", verb_of(wanted.kind), wanted.service.str());
  if (!app.live) {
    save(session, app, detail, changes_of);
    return {};
  }
  AttachmentChange result;
  result.change = change_of(session, app, DeploymentKind::Config);
  result.change->service = wanted;
  result.change->detail = detail;
  return result;
}

}  // namespace

AttachmentChange attach_service(Session& session, const ServiceName& name, const AppName& app_name,
                                const std::string& prefix, const std::string& database, bool tcp) {
  const auto app = session.require_app(app_name, Right::Deploy);
  const auto service = require_service(session, name, Right::Deploy);
  session.engine().check_ready();
  const auto platform = session.platform().services();
  const AttachRequest request{.app_id = app.id, .app = app.name, .prefix = prefix, .database = database, .tcp = tcp};
  check_attachable(platform, service, request, session.store().settings(app.id));
  return change_or_save(
      session, app, {name, ServiceChange::Kind::Attach, prefix, database, tcp},
      [&](const AppSettings& settings) { return open_attachment(platform, service, request, settings); });
}

AttachmentChange detach_service(Session& session, const ServiceName& name, const AppName& app_name) {
  const auto app = session.require_app(app_name, Right::Deploy);
  const auto service = require_service(session, name, Right::See);
  const auto attachments = session.store().attachments_of(app.id);
  const auto is_attached = std::ranges::any_of(attachments, [&](const ServiceAttachment& attachment) {
    return attachment.service == service.id && attachment.state != AttachmentState::Leaving;
  });
  if (!is_attached) {
    throw UserError(fmt::format("app {} is not attached to service {}", app_name.str(), name.str()),
                    fmt::format("`service info {}` shows which apps are", name.str()));
  }
  return change_or_save(session, app, {name, ServiceChange::Kind::Detach},
                        [&](const AppSettings& settings) { return without_service(settings, service.id); });
}

std::vector<ServiceAttachment> service_accounts(Session& session, const ServiceName& name) {
  auto accounts = show_service(session, name).attachments;
  std::erase_if(accounts, [](const ServiceAttachment& account) { return account.state != AttachmentState::Attached; });
  return accounts;
}

AttachmentChange rotate_credentials(Session& session, const ServiceName& name, const AppName& app_name) {
  const auto app = session.require_app(app_name, Right::Deploy);
  const auto service = require_service(session, name, Right::See);
  session.engine().check_ready();
  const auto& type = type_of(service);
  if (std::ranges::none_of(type.variables({}, std::string(type.prefix())),
                           [](const auto& variable) { return variable.second.secret; })) {
    throw UserError(fmt::format("{} has no accounts, and so no credentials", type.description()));
  }
  const auto accounts = service_accounts(session, name);
  if (std::ranges::find(accounts, app.id, &ServiceAttachment::app_id) == accounts.end()) {
    throw UserError(fmt::format("app {} is not attached to service {}", app_name.str(), name.str()),
                    fmt::format("`service info {}` shows which apps are", name.str()));
  }
  return change_or_save(session, app, {name, ServiceChange::Kind::Rotate}, [&](const AppSettings&) {
    return rotate_account(session.platform().services(), service, {.app_id = app.id, .app = app.name});
  });
}

}  // namespace pushrod
