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
#include "operate/audit.hh"
#include "operate/keys.hh"
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

std::string shown(const std::string& app) { return app.empty() ? "the platform" : "app " + app; }

}  // namespace

void require_backup_right(Session& session, const std::string& app) {
  const auto& key = session.caller().key;
  if (app.empty()) {
    session.require_admin();
  } else if ((key && !key->is_admin()) || session.store().app(AppName::parse(app))) {
    session.require_app(AppName::parse(app), Right::Administer);
  }
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

MadeBackup create_backup(Session& session, const std::optional<AppName>& app, const BackupTarget& target) {
  require_backup_right(session, app ? app->str() : "");
  const auto platform = session.platform();
  const auto name = app ? app->str() : std::string{};
  const auto schedule = schedule_of(session.store(), name);
  const bool is_its = schedule && schedule->target == target.name;
  MadeBackup made;
  audited(session, {name, "backup create", "to " + target.name}, [&] {
    made = make_backup(platform, target, app, is_its ? std::optional(schedule->retention) : std::nullopt, [&] {
      if (app) run_before(session, session.require_app(*app, Right::Administer));
    });
  });
  return made;
}

std::vector<BackupView> list_backups(Session& session, const std::optional<AppName>& app, const BackupTarget& target) {
  require_backup_right(session, app ? app->str() : "");
  const auto of = app ? std::optional(app->str()) : std::nullopt;
  std::vector<BackupView> views;
  for (auto& kept : kept_backups(repository_of(session.platform(), target), of)) {
    views.push_back({std::move(kept), target.name});
  }
  std::reverse(views.begin(), views.end());
  return views;
}

BackupView find_backup(Session& session, const std::string& app, const BackupTarget& target, const std::string& id) {
  require_backup_right(session, app);
  const auto kept = kept_backups(repository_of(session.platform(), target), app);
  for (auto one = kept.rbegin(); one != kept.rend(); ++one) {
    if (id.empty() || one->snapshot == id) return {*one, target.name};
  }
  throw UserError(kept.empty() ? fmt::format("there is no backup of {} in {}", shown(app), target.name)
                               : fmt::format("there is no backup {} of {} in {}", quoted(id), shown(app), target.name),
                  "list them: pushrod backup list");
}

namespace {

// Fills a transfer with a backup.
void fetch(Session& session, const Transfer& transfer, const BackupView& view, int cancel_fd) {
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

}  // namespace

ArchivedApp show_backup(Session& session, const BackupView& view) {
  const Transfer transfer(session.layout());
  fetch(session, transfer, view, -1);
  return read_archive(transfer).app;
}

ImportedApp restore_backup(Session& session, const BackupView& view, const std::optional<AppName>& to, Journal& journal,
                           int cancel_fd) {
  const auto name = to.value_or(AppName::parse(view.backup.app));
  const bool is_same = name.str() == view.backup.app;
  const auto detail = fmt::format("{} of {} from {}", view.backup.snapshot, view.backup.app, view.target);
  return import_from(
      session, name, is_same, [&](const Transfer& transfer) { fetch(session, transfer, view, cancel_fd); }, is_same,
      {"", "backup restore", detail}, journal, cancel_fd);
}

RestoredInPlace restore_in_place(Session& session, const BackupView& view, Journal& journal, int cancel_fd) {
  session.require_admin();
  const auto name = AppName::parse(view.backup.app);
  const auto app = session.require_app(name, Right::Administer);
  require_deployed(app, "restore a backup over");
  begin_to_read(session);
  const auto platform = session.platform();
  const Transfer transfer(platform.layout);
  fetch(session, transfer, view, cancel_fd);
  verify_archive(platform, transfer);
  auto change = change_of(session, app, DeploymentKind::Restore);
  add_archive(platform, transfer, app, change);
  change.detail = fmt::format("the backup of {} UTC", format_time(view.backup.time));
  for (const auto& service : services_without_backup(platform, app, change)) {
    journal.line(fmt::format("service {} stays as it is: the backup has nothing of it", service.name.str()));
  }
  RestoredInPlace restored{create_backup(session, name, choose_target(session, view.target)), {}};
  restored.outcome = deploy_audited(session, change, journal, cancel_fd);
  return restored;
}

VerifiedBackup verify_backup(Session& session, const BackupView& view) {
  require_backup_right(session, view.backup.app);
  const auto platform = session.platform();
  VerifiedBackup verified;
  audited(session, {view.backup.app, "backup verify", fmt::format("{} in {}", view.backup.snapshot, view.target)}, [&] {
    const Transfer transfer(platform.layout);
    fetch(session, transfer, view, -1);
    if (!view.backup.app.empty()) verified.archive = verify_archive(platform, transfer);
    if (view.backup.app.empty()) read_platform_archive(transfer);
    verified.bytes = measure_disk_use(transfer.files()).bytes;
  });
  return verified;
}

std::size_t prune_target(Session& session, const std::optional<AppName>& app, const BackupTarget& target,
                         const BackupRetention& retention) {
  session.require_admin();
  const auto name = app ? app->str() : std::string{};
  std::size_t count = 0;
  audited(session, {name, "backup prune", fmt::format("{}: the newest {} stay", target.name, retention.count)},
          [&] { count = prune_backups(session.platform(), target, name, retention); });
  return count;
}

Json to_json(const BackupView& view) {
  return {{"backup", view.backup.snapshot},
          {"app", text_or_null(view.backup.app)},
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
  const auto kept = kept_backups(repository, "");
  if (kept.empty())
    throw UserError("there is no backup of a platform at this URL", "make one: pushrod backup create --all");
  const Transfer transfer(layout);
  BackupReader reader(transfer, repository, kept.back().snapshot);
  unpack(layout, transfer, reader.fd(), 0, -1);
  reader.finish();
  const auto archive = read_platform_archive(transfer);
  place_platform(layout, session.store(), transfer, archive);
  return {archive.made, archive.apps};
}

void restore_keys(Session& session, const BackupTarget& target) {
  session.require_admin();
  const auto repository = repository_of(session.platform(), target);
  const auto kept = kept_backups(repository, "");
  if (kept.empty()) return;
  const Transfer transfer(session.layout());
  BackupReader reader(transfer, repository, kept.back().snapshot);
  unpack(session.layout(), transfer, reader.fd(), 0, -1);
  reader.finish();
  const auto archive = read_platform_archive(transfer);
  change_keys(session, [&] { add_missing_keys(session.store(), archive); });
}

}  // namespace pushrod
