// Accounts of apps in services.
#include "services/attachments.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.hh"
#include "base/text.hh"
#include "model/environment.hh"
#include "services/ports.hh"
#include "services/services.hh"

namespace pushrod {

namespace {

// Accounts of the servers themselves.
constexpr std::array<std::string_view, 11> kReserved{
    "postgres", "template0",          "template1",         "public", "default", "pushrod", "root", "mysql",
    "sys",      "information_schema", "performance_schema"};

bool is_reserved(std::string_view name) {
  return std::ranges::find(kReserved, name) != kReserved.end() || name.starts_with("pg_");
}

// Of the other apps; those that are leaving still have their accounts.
std::vector<ServiceAttachment> others_of(const ServicePlatform& platform, const BackingService& service, AppId app) {
  auto others = platform.store.attachments_to(service.id);
  std::erase_if(others, [&](const ServiceAttachment& other) { return other.app_id == app; });
  return others;
}

// An app may have the name that another one had when it was attached.
std::string free_role(const std::string& app, const std::vector<ServiceAttachment>& taken) {
  auto name = app;
  std::ranges::replace(name, '-', '_');
  if (is_reserved(name)) name = "app_" + name;
  for (unsigned number = 1;; ++number) {
    auto role = number == 1 ? name : fmt::format("{}_{}", name, number);
    const auto has_it = [&](const ServiceAttachment& other) {
      return other.role == role || other.next_role == role || other.former_role == role;
    };
    if (std::ranges::none_of(taken, has_it)) return role;
  }
}

SettingChanges sealed(const ServicePlatform& platform, const BackingService& service, AppId app,
                      const std::map<std::string, ServiceType::Variable>& variables) {
  SettingChanges changes;
  for (const auto& [text, variable] : variables) {
    const auto name = SettingName::parse(text);
    changes.emplace(
        name, AppSetting{platform.store.vault().seal(app, name, Secret(variable.value)), variable.secret, service.id});
  }
  return changes;
}

void check_variables_free(const ServiceType& type, const BackingService& service, const AttachRequest& request,
                          const AppSettings& known) {
  const auto prefix = prefix_for(type, request.prefix);
  ServiceAccount account;
  if (request.tcp) account.port = Port{0};
  for (const auto& [name, variable] : type.variables(account, prefix)) {
    const auto found = known.find(SettingName::parse(name));
    if (found == known.end()) continue;
    throw UserError(fmt::format("app {} has a setting {} already", request.app.str(), name),
                    found->second.service != 0
                        ? fmt::format("attach this one under another prefix: service attach {} {} --as {}",
                                      service.name.str(), request.app.str(), type.has_databases() ? "REPORTS" : "QUEUE")
                        : fmt::format("remove it (config unset {} {} --no-restart), or choose another prefix with --as",
                                      request.app.str(), name));
  }
}

}  // namespace

std::string database_name(const std::string& text) {
  auto name = text;
  std::ranges::replace(name, '-', '_');
  const auto may = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  const bool is_name = !name.empty() && name.size() <= 60 && name.front() >= 'a' && name.front() <= 'z' &&
                       std::ranges::all_of(name, may);
  if (!is_name || is_reserved(name)) {
    throw UserError(fmt::format("a database cannot be called {}", quoted(text)),
                    "use a-z, 0-9 and '_', beginning with a letter, and no name of the server's own");
  }
  return name;
}

std::string prefix_for(const ServiceType& type, const std::string& prefix) {
  if (prefix.empty()) return std::string(type.prefix());
  check_not_reserved(SettingName::parse(prefix).str() + "_URL");
  return prefix;
}

void check_attachable(const ServicePlatform& platform, const BackingService& service, const AttachRequest& request,
                      const AppSettings& known) {
  const auto& type = type_of(service);
  for (const auto& attachment : platform.store.attachments_to(service.id)) {
    if (attachment.app_id == request.app_id && attachment.state == AttachmentState::Attached) {
      throw UserError(fmt::format("app {} is attached to service {} already", request.app.str(), service.name.str()),
                      fmt::format("`service info {}` shows how", service.name.str()));
    }
    if (attachment.app_id != request.app_id && !type.has_databases() && attachment.state != AttachmentState::Leaving) {
      throw UserError(fmt::format("service {} is attached to app {}, and {} has one key space: each would see the "
                                  "other's keys",
                                  service.name.str(), attachment.app, type.description()),
                      fmt::format("create another one: service create {}", service.type));
    }
  }
  if (request.tcp) check_has_tcp(type);
  if (!request.database.empty()) {
    if (!type.has_databases()) throw UserError(fmt::format("{} has no databases to choose from", type.description()));
    database_name(request.database);
  }
  check_variables_free(type, service, request, known);
  if (service.state != ServiceState::Running) {
    throw UserError(fmt::format("service {} is {}", service.name.str(), to_string(service.state)),
                    fmt::format("start it first: service start {}", service.name.str()));
  }
}

SettingChanges open_attachment(const ServicePlatform& platform, const BackingService& service,
                               const AttachRequest& request, const AppSettings& known) {
  const auto lock = lock_service(platform, service.name, "an attachment");
  const auto now = platform.store.service(service.id);
  if (!now) throw UserError(fmt::format("service {} was destroyed in the meantime", service.name.str()));
  check_attachable(platform, *now, request, known);
  close_leaving(platform, *now);
  const auto& type = type_of(*now);
  const auto server = server_of(platform, *now);
  const auto others = others_of(platform, *now, request.app_id);
  ServiceAttachment attachment{.service = now->id,
                               .app_id = request.app_id,
                               .app = request.app.str(),
                               .key = request.key,
                               .prefix = prefix_for(type, request.prefix),
                               .role = free_role(request.app.str(), others),
                               .group = request.group};
  if (type.has_databases()) {
    attachment.database = request.database.empty() ? attachment.role : database_name(request.database);
    const auto shared = std::ranges::find(others, attachment.database, &ServiceAttachment::database);
    if (shared != others.end() && request.database.empty()) {
      throw UserError(
          fmt::format("database {} of service {} belongs to app {}", attachment.database, now->name.str(), shared->app),
          "choose another with --database, or this one, to share it");
    }
    const auto there = type.databases(server);
    attachment.made_database = std::ranges::find(there, attachment.database) == there.end();
  }
  if (request.tcp) {
    const auto& settings = platform.settings;
    platform.store.set_attachment_with_port(attachment, settings.first_port, settings.last_port, is_port_free);
    open_port(platform, *now, attachment.port.value());
  } else {
    platform.store.set_attachment(attachment);
  }
  const ServiceAccount account{attachment.role, attachment.database, random_password(),
                               service_directory_in_app(now->name), attachment.port};
  type.open_account(server, account);
  return sealed(platform, *now, request.app_id, type.variables(account, attachment.prefix));
}

SettingChanges without_service(const AppSettings& settings, ServiceId service) {
  SettingChanges changes;
  for (const auto& [name, setting] : settings) {
    if (setting.service == service) changes.emplace(name, std::nullopt);
  }
  return changes;
}

SettingChanges rotate_account(const ServicePlatform& platform, const BackingService& service,
                              const AttachRequest& request) {
  const auto lock = lock_service(platform, service.name, "new credentials");
  const auto now = platform.store.service(service.id);
  if (!now) throw UserError(fmt::format("service {} was destroyed in the meantime", service.name.str()));
  close_leaving(platform, *now);
  const auto all = platform.store.attachments_to(now->id);
  const auto found = std::ranges::find(all, request.app_id, &ServiceAttachment::app_id);
  if (found == all.end() || found->state != AttachmentState::Attached) {
    throw UserError(fmt::format("app {} is not attached to service {}", request.app.str(), now->name.str()));
  }
  if (!found->former_role.empty()) {
    throw UserError(fmt::format("instances of app {} may still use its former credentials", request.app.str()),
                    "wait until the watch of the app's release has ended (app info), and try again");
  }
  const auto& type = type_of(*now);
  auto attachment = *found;
  attachment.next_role = free_role(request.app.str(), all);
  attachment.group = request.group;
  platform.store.set_attachment(attachment);
  const ServiceAccount account{attachment.next_role, attachment.database, random_password(),
                               service_directory_in_app(now->name), attachment.port};
  type.open_account(server_of(platform, *now), account);
  return sealed(platform, *now, request.app_id, type.variables(account, attachment.prefix));
}

bool close_leaving(const ServicePlatform& platform, const BackingService& service) {
  bool any = false;
  for (auto& attachment : platform.store.attachments_to(service.id)) {
    const bool leaves = attachment.state == AttachmentState::Leaving;
    if (!leaves && attachment.former_role.empty()) continue;
    // Requests in flight are finished with the account that they began with; what is on standby may serve again.
    const auto instances = platform.store.instances(attachment.app_id);
    if (std::ranges::any_of(instances, [](const Instance& instance) {
          return instance.state != InstanceState::Serving && instance.state != InstanceState::Asleep;
        })) {
      continue;
    }
    const auto close = [&](const std::string& role, bool with_database) {
      if (!role.empty()) {
        type_of(service).close_account(server_of(platform, service), {role, attachment.database}, with_database);
      }
    };
    close(attachment.former_role, false);
    if (leaves) {
      close(attachment.next_role, false);
      close(attachment.role, attachment.made_database);
      platform.store.remove_attachment(service.id, attachment.app_id);
    } else {
      attachment.former_role.clear();
      platform.store.set_attachment(attachment);
    }
    any = true;
  }
  return any;
}

}  // namespace pushrod
