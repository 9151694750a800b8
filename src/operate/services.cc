#include "operate/services.hh"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/trash.hh"
#include "operate/audit.hh"
#include "os/disk_use.hh"
#include "services/disk_limits.hh"

namespace pushrod {

namespace {

bool is_administrator(const Session& session) { return !session.caller().key || session.caller().key->is_admin(); }

std::vector<AppName> apps_of(Session& session, const BackingService& service) {
  std::vector<AppName> apps;
  for (const auto& attachment : session.store().attachments_to(service.id)) {
    if (const auto app = session.store().app(attachment.app_id)) apps.push_back(app->name);
  }
  return apps;
}

// See: of one of its apps. Everything else: of all of them, whose data it holds.
bool may_use(Session& session, const BackingService& service, Right right) {
  if (is_administrator(session)) return true;
  const auto apps = apps_of(session, service);
  const auto may = [&](const AppName& app) { return session.may(app, right); };
  return right == Right::See ? std::ranges::any_of(apps, may) : !apps.empty() && std::ranges::all_of(apps, may);
}

ServiceView view_of(Session& session, const BackingService& service) {
  const auto platform = session.platform().services();
  ServiceView view{service, look_at(platform, service), {}, platform.engine.memory(service.name)};
  view.disk_limit = disk_limit(session.settings(), service);
  view.limits_processors = platform.engine.limits_processors();
  for (auto& attachment : session.store().attachments_to(service.id)) {
    if (is_administrator(session) || session.may(AppName::parse(attachment.app), Right::See)) {
      view.attachments.push_back(std::move(attachment));
    }
  }
  return view;
}

ServiceName free_name(const Store& store, const std::string& type) {
  for (unsigned number = 1;; ++number) {
    auto name = ServiceName::parse(number == 1 ? type : fmt::format("{}-{}", type, number));
    if (!store.service(name)) return name;
  }
}

AuditedChange change_of(const ServiceName& name, const std::string& verb, const std::string& more = {}) {
  return {"", "service " + verb, more.empty() ? name.str() : name.str() + " " + more};
}

// The row as it is once the lock is held.
BackingService still_there(Session& session, const BackingService& service) {
  if (auto now = session.store().service(service.id)) return *std::move(now);
  throw UserError(fmt::format("service {} was destroyed in the meantime", service.name.str()));
}

void check_not_attached(Session& session, const BackingService& service) {
  const auto attachments = session.store().attachments_to(service.id);
  for (const auto& attachment : attachments) {
    if (attachment.state == AttachmentState::Leaving) continue;
    throw UserError(fmt::format("app {} is attached to service {}", attachment.app, service.name.str()),
                    fmt::format("detach it first: service detach {} {}", service.name.str(), attachment.app));
  }
}

}  // namespace

Json to_json(const ServiceView& view) {
  auto apps = Json::array();
  auto backups = Json::object();
  for (const auto& [app, state] : view.backups) backups[app] = to_json(state);
  for (const auto& attachment : view.attachments) {
    apps.push_back({{"app", attachment.app},
                    {"prefix", attachment.prefix},
                    {"database", text_or_null(attachment.database)},
                    {"port", attachment.port ? Json(*attachment.port) : Json(nullptr)},
                    {"state", to_string(attachment.state)}});
  }
  return {{"service", view.service.name.str()},
          {"type", view.service.type},
          {"version", view.service.version},
          {"former_version", text_or_null(view.service.former_version)},
          {"state", to_string(view.look.condition)},
          {"problem", text_or_null(view.look.problem)},
          {"since_ms", view.look.since.count()},
          {"restarts", view.look.restarts},
          {"memory_limit", view.service.memory},
          {"memory", view.memory},
          {"disk", view.disk == 0 ? Json(nullptr) : Json(view.disk)},
          {"disk_limit", view.disk_limit == 0 ? Json(nullptr) : Json(view.disk_limit)},
          {"read_only", view.service.over_disk != 0},
          {"cpu_limit", view.service.cpu_percent == 0 ? Json(nullptr) : Json(view.service.cpu_percent / 100.0)},
          {"cpu_limited", view.service.cpu_percent != 0 && view.limits_processors},
          {"apps", std::move(apps)},
          {"backups", std::move(backups)},
          {"backup", view.own_backup ? to_json(*view.own_backup) : Json(nullptr)},
          {"created", iso_time(view.service.created)}};
}

BackingService require_service(Session& session, const ServiceName& name, Right right) {
  auto service = session.store().service(name);
  if (service && may_use(session, *service, right)) return *std::move(service);
  if (service && may_use(session, *service, Right::See)) {
    throw UserError(
        fmt::format("key {} may see service {}, but not do that", session.caller().key->name.str(), name.str()),
        "it takes the right to deploy all apps that are attached to it");
  }
  std::vector<std::string> known;
  for (const auto& other : session.store().services()) {
    if (may_use(session, other, Right::See)) known.push_back(other.name.str());
  }
  const auto meant = nearest(name.str(), known);
  throw UserError(
      fmt::format("service {} does not exist", quoted(name.str())),
      meant ? fmt::format("did you mean {}?", *meant) : "list those that you may use: pushrod service list");
}

std::vector<ServiceView> list_services(Session& session) {
  std::vector<ServiceView> views;
  for (const auto& service : session.store().services()) {
    if (!may_use(session, service, Right::See)) continue;
    views.push_back(view_of(session, service));
    views.back().disk = measure_disk_use(session.layout().service_data(service.name)).bytes;
  }
  return views;
}

std::vector<ServiceView> services_of(Session& session, const std::optional<AppName>& app) {
  const auto is_its = [&](const ServiceAttachment& attachment) { return !app || attachment.app == app->str(); };
  std::vector<ServiceView> views;
  for (const auto& service : session.store().services()) {
    if (std::ranges::none_of(session.store().attachments_to(service.id), is_its)) continue;
    if (!may_use(session, service, Right::See)) continue;
    auto view = view_of(session, service);
    std::erase_if(view.attachments, std::not_fn(is_its));
    if (!view.attachments.empty()) views.push_back(std::move(view));
  }
  return views;
}

ServiceView show_service(Session& session, const ServiceName& name) {
  const auto service = require_service(session, name, Right::See);
  auto view = view_of(session, service);
  view.disk = measure_disk_use(session.layout().service_data(name)).bytes;
  for (const auto& attachment : view.attachments) {
    view.backups.emplace(attachment.app, backup_state(session, {BackupSubject::Kind::App, attachment.app}));
  }
  const auto own = backup_state(session, BackupSubject::of(name));
  const bool keeps_data = type_of(service).keeps_data();
  const bool counts = own.is_scheduled || own.last_good || !own.problem.empty() || apps_of(session, service).empty();
  if (keeps_data && counts) view.own_backup = own;
  return view;
}

BackingService create_service(Session& session, const ServiceRequest& request) {
  session.require_admin();
  session.engine().check_ready();
  const NewService wanted{.name = request.name ? *request.name : free_name(session.store(), request.type),
                          .type = request.type,
                          .version = request.version,
                          .memory = request.memory,
                          .disk = request.disk.value_or(0),
                          .cpu_percent = request.cpu_percent.value_or(0)};
  const auto planned = planned_service(wanted);
  std::optional<BackingService> made;
  audited(session, change_of(wanted.name, "create", fmt::format("({} {})", planned.type, planned.version)),
          [&] { made = create_service(session.platform().services(), wanted); });
  return *made;
}

ServiceView limit_service(Session& session, const ServiceName& name, std::optional<std::uint64_t> memory,
                          std::optional<std::uint64_t> disk, std::optional<unsigned> cpu_percent) {
  session.require_admin();
  const auto service = require_service(session, name, Right::Administer);
  session.engine().check_ready();
  audited(session, change_of(name, "limit"), [&] {
    const auto platform = session.platform().services();
    const auto lock = lock_service(platform, name, "a change of limits");
    const auto before = still_there(session, service);
    auto wanted = before;
    wanted.memory = memory.value_or(before.memory);
    wanted.disk = disk.value_or(before.disk);
    wanted.cpu_percent = cpu_percent.value_or(before.cpu_percent);
    check_limits(type_of(wanted), wanted.memory, wanted.disk);
    session.store().set_service_limits(wanted);
    const bool is_new_to_server = wanted.memory != before.memory || wanted.cpu_percent != before.cpu_percent;
    if (wanted.state == ServiceState::Running && is_new_to_server) {
      stop_service(platform, wanted);
      try {
        start_service(platform, wanted);
      } catch (const Error&) {
        session.store().set_service_limits(before);
        stop_service(platform, before);
        platform.engine.start(plan_of(server_of(platform, before)));  // its supervisor tries on, whatever is wrong
        throw;
      }
    }
    keep_disk_limit(platform, wanted);
  });
  return show_service(session, name);
}

void stop_service(Session& session, const ServiceName& name) {
  const auto service = require_service(session, name, Right::Deploy);
  audited(session, change_of(name, "stop"), [&] {
    const auto platform = session.platform().services();
    const auto lock = lock_service(platform, name, "the stop");
    const auto now = still_there(session, service);
    session.store().set_service_state(now.id, ServiceState::Stopped);
    stop_service(platform, now);
  });
}

void start_service(Session& session, const ServiceName& name) {
  const auto service = require_service(session, name, Right::Deploy);
  session.engine().check_ready();
  audited(session, change_of(name, "start"), [&] {
    const auto platform = session.platform().services();
    const auto lock = lock_service(platform, name, "the start");
    const auto now = still_there(session, service);
    server_of(platform, now);  // what cannot run stays as it is
    session.store().set_service_state(now.id, ServiceState::Running);
    start_service(platform, now);
  });
}

void restart_service(Session& session, const ServiceName& name) {
  const auto service = require_service(session, name, Right::Deploy);
  session.engine().check_ready();
  audited(session, change_of(name, "restart"), [&] {
    const auto platform = session.platform().services();
    const auto lock = lock_service(platform, name, "the restart");
    const auto now = still_there(session, service);
    server_of(platform, now);
    session.store().set_service_state(now.id, ServiceState::Running);
    stop_service(platform, now);
    start_service(platform, now);
  });
}

ServiceView service_removal(Session& session, const ServiceName& name) {
  session.require_admin();
  const auto service = require_service(session, name, Right::Administer);
  check_not_attached(session, service);
  return show_service(session, name);
}

void destroy_service(Session& session, const ServiceName& name) {
  session.require_admin();
  const auto service = require_service(session, name, Right::Administer);
  audited(session, change_of(name, "destroy"), [&] {
    const auto platform = session.platform().services();
    const auto lock = lock_service(platform, name, "the destruction");
    const auto now = still_there(session, service);
    check_not_attached(session, now);
    destroy_service(platform, now);
  });
  empty_trash(session.layout());
}

}  // namespace pushrod
