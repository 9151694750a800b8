// Backups.
#include "operate/backups.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "build/builder.hh"
#include "config/app_manifest.hh"
#include "deploy/backup_clock.hh"
#include "deploy/jobs.hh"
#include "deploy/placement.hh"
#include "deploy/platform_archive.hh"
#include "deploy/service_archive.hh"
#include "operate/audit.hh"
#include "operate/keys.hh"
#include "operate/services.hh"
#include "os/disk_use.hh"

namespace pushrod {

namespace {

constexpr std::chrono::minutes kHookDeadline{30};

// [backup] before: the app brings its files into a state that can be backed up.
void run_before(Session& session, const App& app) {
  if (!app.live || app.stopped) return;
  const auto platform = session.platform();
  const auto release = session.store().release(app.id, *app.live);
  if (!release) return;
  const auto& source = release->source;
  const auto checkout = find_checkout(platform.layout, app.name, release->checkout);
  const auto manifest = load_manifest(app_directory(checkout, source.path), source.path, source.config);
  if (!manifest.backup_before) return;
  Attachment attachment{Attachment::Kind::Direct, -1, STDERR_FILENO, STDERR_FILENO, kHookDeadline};
  JobRequest request;
  request.app = app.id;
  request.command = platform.engine.shell_words(*manifest.backup_before);
  request.author = session.caller().author();
  if (const int code = run_job(platform, request, attachment); code != 0) {
    throw UserError(
        fmt::format("[backup] before failed with exit code {}", code),
        fmt::format("its output is above; try it: pushrod run {} -- {}", app.name.str(), *manifest.backup_before));
  }
}

}  // namespace

void require_backup_right(Session& session, const BackupSubject& of) {
  const auto& key = session.caller().key;
  const bool is_admin = !key || key->is_admin();
  if (of.is_platform()) {
    session.require_admin();
  } else if (of.is_service()) {
    const auto name = ServiceName::parse(of.name);
    if (!is_admin || session.store().service(name)) require_service(session, name, Right::Administer);
  } else if (!is_admin || session.store().app(AppName::parse(of.name))) {
    session.require_app(AppName::parse(of.name), Right::Administer);
  }
}

void require_there(Session& session, const BackupSubject& of) {
  if (of.is_app()) session.require_app(AppName::parse(of.name), Right::Administer);
  if (of.is_service()) require_service(session, ServiceName::parse(of.name), Right::Administer);
}

AuditedChange audit_of(const BackupSubject& of, const std::string& action, const std::string& detail) {
  if (of.is_service()) return {"", action, fmt::format("{}: {}", shown(of), detail)};
  return {of.name, action, detail};
}

BackupSubject backup_subject(Session& session, const std::string& name, bool is_service, const BackupTarget* target) {
  const BackupSubject app{BackupSubject::Kind::App, name}, service{BackupSubject::Kind::Service, name};
  if (is_service) return service;
  const auto apps = session.visible_apps();
  if (std::ranges::any_of(apps, [&](const App& one) { return one.name.str() == name; })) return app;
  if (session.store().service(ServiceName::parse(name))) return service;
  const auto& key = session.caller().key;
  if (target == nullptr || (key && !key->is_admin())) return app;
  const auto repository = repository_of(session.platform(), *target);
  return kept_backups(repository, app).empty() && !kept_backups(repository, service).empty() ? service : app;
}

std::vector<BackupSubject> all_subjects(Session& session) {
  session.require_admin();
  std::vector<BackupSubject> all;
  for (const auto& app : session.visible_apps()) all.push_back(BackupSubject::of(app.name));
  for (const auto& service : services_by_themselves(session.store())) all.push_back(BackupSubject::of(service.name));
  all.emplace_back();
  return all;
}

BackupTarget choose_target(Session& session, const std::string& name) {
  const auto targets = session.store().backup_targets();
  if (targets.empty()) {
    throw UserError("there is no backup target yet", "an administrator adds one: pushrod backup target add NAME URL");
  }
  if (name.empty() && targets.size() == 1) return targets.front();
  for (const auto& target : targets) {
    if (target.name == name) return target;
  }
  std::vector<std::string> names;
  for (const auto& target : targets) names.push_back(target.name);
  throw UserError(
      name.empty() ? "there are several backup targets" : fmt::format("there is no backup target {}", quoted(name)),
      "name one of these with --target: " + join(names, ", "));
}

MadeBackup create_backup(Session& session, const BackupSubject& of, const BackupTarget& target) {
  require_backup_right(session, of);
  require_there(session, of);
  const auto platform = session.platform();
  const auto schedule = schedule_of(session.store(), of);
  const bool is_its = schedule && schedule->target == target.name;
  MadeBackup made;
  audited(session, audit_of(of, "backup create", "to " + target.name), [&] {
    made = make_backup(platform, target, of, is_its ? std::optional(schedule->retention) : std::nullopt, [&] {
      if (of.is_app()) run_before(session, session.require_app(AppName::parse(of.name), Right::Administer));
    });
  });
  return made;
}

std::vector<BackupView> list_backups(Session& session, const std::optional<BackupSubject>& of,
                                     const BackupTarget& target) {
  require_backup_right(session, of.value_or(BackupSubject{}));
  std::vector<BackupView> views;
  for (auto& kept : kept_backups(repository_of(session.platform(), target), of)) {
    views.push_back({std::move(kept), target.name});
  }
  std::reverse(views.begin(), views.end());
  return views;
}

BackupView find_backup(Session& session, const BackupSubject& of, const BackupTarget& target, const std::string& id) {
  require_backup_right(session, of);
  const auto kept = kept_backups(repository_of(session.platform(), target), of);
  for (auto one = kept.rbegin(); one != kept.rend(); ++one) {
    if (id.empty() || one->snapshot == id) return {*one, target.name};
  }
  const auto with_kind = of.is_app() ? "app " + of.name : shown(of);
  throw UserError(kept.empty() ? fmt::format("target {} has no backup of {}", target.name, with_kind)
                               : fmt::format("target {} has no backup {} of {}", target.name, quoted(id), with_kind),
                  "list them: pushrod backup list");
}

void fetch_backup(Session& session, const Transfer& transfer, const BackupView& view, int cancel_fd) {
  const auto platform = session.platform();
  const auto target = choose_target(session, view.target);
  BackupReader reader(transfer, repository_of(platform, target), view.backup.snapshot);
  std::optional<UserError> refused;
  try {
    unpack(platform.layout, transfer, reader.fd(), session.settings().free_space, cancel_fd);
  } catch (const Cancelled&) {
    throw;
  } catch (const UserError& error) {
    refused = error;
  }
  reader.finish();  // why the archive is not whole, if it is restic that could not deliver it
  if (refused) throw *refused;
}

ArchivedApp show_backup(Session& session, const BackupView& view) {
  const Transfer transfer(session.layout());
  fetch_backup(session, transfer, view, -1);
  return read_archive(transfer).app;
}

ImportedApp restore_backup(Session& session, const BackupView& view, const std::optional<AppName>& to, Journal& journal,
                           int cancel_fd) {
  const auto from = AppName::parse(view.backup.of.name), name = to.value_or(from);
  const bool is_same = name == from;
  const auto detail = fmt::format("{} of {} from {}", view.backup.snapshot, from.str(), view.target);
  return import_from(
      session, name, is_same, [&](const Transfer& transfer) { fetch_backup(session, transfer, view, cancel_fd); },
      is_same, {"", "backup restore", detail}, journal, cancel_fd);
}

RestoredInPlace restore_in_place(Session& session, const BackupView& view, Journal& journal, int cancel_fd) {
  session.require_admin();
  const auto name = AppName::parse(view.backup.of.name);
  const auto app = session.require_app(name, Right::Administer);
  require_deployed(app, "restore a backup over");
  begin_to_read(session);
  const auto platform = session.platform();
  const Transfer transfer(platform.layout);
  fetch_backup(session, transfer, view, cancel_fd);
  verify_archive(platform, transfer);
  auto change = change_of(session, app, DeploymentKind::Restore);
  add_archive(platform, transfer, app, change);
  change.detail = fmt::format("the backup of {} UTC", format_time(view.backup.time));
  for (const auto& service : services_without_backup(platform, app, change)) {
    journal.line(fmt::format("service {} stays as it is: the backup has nothing of it", service.name.str()));
  }
  RestoredInPlace restored{create_backup(session, view.backup.of, choose_target(session, view.target)), {}};
  restored.outcome = deploy_audited(session, change, journal, cancel_fd);
  return restored;
}

VerifiedBackup verify_backup(Session& session, const BackupView& view) {
  const auto& of = view.backup.of;
  require_backup_right(session, of);
  const auto platform = session.platform();
  VerifiedBackup verified;
  audited(session, audit_of(of, "backup verify", fmt::format("{} in {}", view.backup.snapshot, view.target)), [&] {
    const Transfer transfer(platform.layout);
    fetch_backup(session, transfer, view, -1);
    if (of.is_app()) verified.archive = verify_archive(platform, transfer);
    if (of.is_service()) verified.archive.dumps = verify_service_archive(platform, transfer);
    if (of.is_platform()) read_platform_archive(transfer);
    verified.bytes = measure_disk_use(transfer.files()).bytes;
  });
  return verified;
}

std::size_t prune_target(Session& session, const BackupSubject& of, const BackupTarget& target,
                         const BackupRetention& retention) {
  session.require_admin();
  std::size_t count = 0;
  audited(session, audit_of(of, "backup prune", fmt::format("{}: the newest {} stay", target.name, retention.count)),
          [&] { count = prune_backups(session.platform(), target, of, retention); });
  return count;
}

Json to_json(const BackupView& view) {
  return {{"backup", view.backup.snapshot},
          {"app", view.backup.of.is_app() ? Json(view.backup.of.name) : Json(nullptr)},
          {"service", view.backup.of.is_service() ? Json(view.backup.of.name) : Json(nullptr)},
          {"target", view.target},
          {"time", iso_time(view.backup.time)}};
}

RestoredPlatform restore_platform(Session& session, const std::string& url, const std::string& credentials) {
  session.require_admin();
  if (!session.store().apps().empty()) {
    throw UserError("this root directory has apps already",
                    "restore into an empty one: pushrod --root DIR restore URL");
  }
  const auto& layout = session.layout();
  bool has_password = false;
  const auto lines = credentials_of(credentials, has_password);
  if (!has_password) {
    throw UserError("the password of the backups is missing", "RESTIC_PASSWORD=…, as `backup target add` showed it");
  }
  const auto repository = repository_from(layout, url, lines);
  const auto kept = kept_backups(repository, BackupSubject{});
  if (kept.empty())
    throw UserError("there is no backup of a platform at this URL", "make one: pushrod backup create --all");
  const Transfer transfer(layout);
  BackupReader reader(transfer, repository, kept.back().snapshot);
  unpack(layout, transfer, reader.fd(), 0, -1);
  reader.finish();
  const auto archive = read_platform_archive(transfer);
  place_platform(layout, session.store(), transfer, archive);
  return {archive.made, archive.apps, archive.services};
}

void restore_keys(Session& session, const BackupTarget& target) {
  session.require_admin();
  const auto repository = repository_of(session.platform(), target);
  const auto kept = kept_backups(repository, BackupSubject{});
  if (kept.empty()) return;
  const Transfer transfer(session.layout());
  BackupReader reader(transfer, repository, kept.back().snapshot);
  unpack(session.layout(), transfer, reader.fd(), 0, -1);
  reader.finish();
  const auto archive = read_platform_archive(transfer);
  change_keys(session, [&] { add_missing_keys(session.store(), archive); });
}

}  // namespace pushrod
