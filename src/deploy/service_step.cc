// Services in a deployment: those that the app's files declare are created and attached with the release that names
// them first; `service attach` and `detach` change the settings of a release. Nothing of it is final before the commit:
// settle.cc undoes it from the rows.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/steps.hh"
#include "services/attachments.hh"
#include "services/ports.hh"
#include "services/services.hh"

namespace pushrod {

namespace {

AttachRequest request_of(const Run& run, const Part& part) {
  return {.app_id = part.app.id, .app = part.app.name, .group = run.group};
}

BackingService require_running(const Run& run, const ServiceName& name) {
  if (auto service = run.platform.store.service(name)) return *std::move(service);
  throw UserError(fmt::format("service {} was destroyed in the meantime", name.str()));
}

ServiceName name_for(const App& app, const DeclaredService& declared) {
  return ServiceName::parse(fmt::format("{}-{}", app.name.str(), declared.key));
}

void check_declared(const DeclaredService& declared, const BackingService& service) {
  if (declared.type == service.type) return;
  throw UserError(fmt::format("[services] {} is a {}, but service {} is a {}", declared.key, declared.type,
                              service.name.str(), service.type),
                  fmt::format("declare it under another name, or destroy the old one: service destroy {} --yes",
                              service.name.str()));
}

PlannedService planned(const Platform& platform, const App& app, const DeclaredService& declared) {
  const auto& type = require_service_type(declared.type);
  if (declared.tcp) check_has_tcp(type);
  for (const auto& attachment : platform.store.attachments_of(app.id)) {
    if (attachment.key != declared.key || attachment.state == AttachmentState::Leaving) continue;
    auto service = platform.store.service(attachment.service).value();
    check_declared(declared, service);
    return {PlannedService::Action::Keep, declared, std::move(service), attachment.port.has_value()};
  }
  const auto name = name_for(app, declared);
  auto there = platform.store.service(name);
  if (there && there->state != ServiceState::Destroying && there->state != ServiceState::Creating) {
    check_declared(declared, *there);
    if (there->declared_by != app.id) {
      throw UserError(fmt::format("service {} is there already, and was not made for this app", name.str()),
                      fmt::format("attach it (service attach {} {}), or declare another name in [services]", name.str(),
                                  app.name.str()));
    }
    return {PlannedService::Action::Attach, declared, *std::move(there), declared.tcp};
  }
  return {PlannedService::Action::Create, declared,
          planned_service({.name = name,
                           .type = std::string(type.name()),
                           .version = declared.version,
                           .memory = declared.memory,
                           .disk = declared.disk.value_or(0),
                           .cpu_percent = declared.cpu_percent.value_or(0),
                           .declared_by = app.id}),
          declared.tcp};
}

void tell_port(const Run& run, const Part& part, const BackingService& service) {
  for (const auto& attachment : run.platform.store.attachments_to(service.id)) {
    if (attachment.app_id == part.app.id && attachment.port) run.journal.line(port_warning(service.name, attachment));
  }
}

// What an attachment is like is decided when it begins.
void tell_other_way(const Run& run, const Part& part, const PlannedService& kept) {
  if (kept.tcp == kept.declared.tcp) return;
  const auto& name = kept.service.name.str();
  run.journal.line(
      fmt::format("[services] {} {}, but the app is attached to {} {}; to change that: service detach {} "
                  "{}, then push again",
                  kept.declared.key, kept.declared.tcp ? "has tcp = true" : "has no tcp = true", name,
                  kept.tcp ? "over TCP" : "by its socket", name, part.app.name.str()));
}

}  // namespace

std::vector<PlannedService> planned_services(const Platform& platform, const App& app, const AppManifest& manifest) {
  std::vector<PlannedService> services;
  for (const auto& declared : manifest.services) services.push_back(planned(platform, app, declared));
  return services;
}

std::vector<BackingService> undeclared_services(const Platform& platform, const App& app, const AppManifest& manifest) {
  std::vector<BackingService> services;
  for (const auto& attachment : platform.store.attachments_of(app.id)) {
    if (attachment.key.empty() || attachment.state != AttachmentState::Attached) continue;
    if (std::ranges::find(manifest.services, attachment.key, &DeclaredService::key) != manifest.services.end())
      continue;
    if (auto service = platform.store.service(attachment.service)) services.push_back(*std::move(service));
  }
  return services;
}

void provide_services(Run& run, const Part& part, PlannedRelease& planned) {
  const auto platform = run.platform.services();
  for (const auto& service : undeclared_services(run.platform, part.app, planned.manifest)) {
    run.journal.line(
        fmt::format("[services] no longer names {}, which stays attached with its data; to end it: service "
                    "detach {} {}, then service destroy {} --yes",
                    service.name.str(), service.name.str(), part.app.name.str(), service.name.str()));
  }
  for (const auto& one : planned_services(run.platform, part.app, planned.manifest)) {
    const auto& [action, declared, wanted, tcp] = one;
    if (action == PlannedService::Action::Keep) {
      tell_other_way(run, part, one);
      continue;
    }
    auto service = wanted;
    const bool creates = action == PlannedService::Action::Create;
    run.journal.begin(
        fmt::format("{} service {} ({})", creates ? "Creating" : "Attaching", wanted.name.str(), shown_type(wanted)),
        "creating service " + wanted.name.str());
    if (creates) {
      service = create_service(platform, {.name = wanted.name,
                                          .type = wanted.type,
                                          .version = wanted.version,
                                          .memory = wanted.memory,
                                          .disk = wanted.disk,
                                          .cpu_percent = wanted.cpu_percent,
                                          .declared_by = part.app.id,
                                          .group = run.group});
    }
    auto request = request_of(run, part);
    request.key = declared.key;
    request.prefix = declared.prefix;
    request.tcp = tcp;
    planned.release.settings =
        with_changes(planned.release.settings, open_attachment(platform, service, request, planned.release.settings));
    run.journal.end();
    if (tcp) tell_port(run, part, service);
  }
}

SettingChanges change_service(const Run& run, const Part& part) {
  const auto& change = run.change.service;
  if (!change) return {};
  const auto service = require_running(run, change->service);
  const auto settings = run.platform.store.settings(part.app.id);
  if (change->kind == ServiceChange::Kind::Detach) return without_service(settings, service.id);
  auto request = request_of(run, part);
  if (change->kind == ServiceChange::Kind::Rotate) return rotate_account(run.platform.services(), service, request);
  request.prefix = change->prefix;
  request.database = change->database;
  request.tcp = change->tcp;
  return open_attachment(run.platform.services(), service, request, settings);
}

}  // namespace pushrod
