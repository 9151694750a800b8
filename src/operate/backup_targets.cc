// Where backups go, and when they are made.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "config/dotenv.hh"
#include "deploy/control.hh"
#include "deploy/cron.hh"
#include "operate/audit.hh"
#include "operate/backups.hh"

namespace pushrod {

namespace {

constexpr const char* kPassword = "RESTIC_PASSWORD";

// A URL may have a password in it: "rest:https://user:password@host/".
std::string without_password(const std::string& url) {
  const auto begin = url.find("://"), end = url.find('@');
  if (begin == url.npos || end == url.npos || end < begin) return url;
  const auto colon = url.find(':', begin + 3);
  if (colon == url.npos || colon > end) return url;
  return url.substr(0, colon + 1) + "****" + url.substr(end);
}

}  // namespace

std::string credentials_of(const std::string& text, bool& has_password) {
  ResticRepository repository{"", Secret(""), {}, {}};
  has_password = false;
  for (const auto& [name, value] : parse_dotenv(text, "the credentials")) {
    if (name.str() == kPassword) {
      repository.password = value;
      has_password = true;
    } else {
      repository.variables.emplace(name.str(), value);
    }
  }
  return credentials_to_json(repository);
}

AddedTarget add_target(Session& session, const std::string& name, const std::string& url,
                       const std::string& credentials) {
  session.require_admin();
  check_target_url(session.layout(), url);
  for (const auto& other : session.store().backup_targets()) {
    if (other.name == name)
      throw UserError(fmt::format("there is a backup target {} already", name), "choose another name");
  }
  bool has_password = false;
  auto repository = repository_from(session.layout(), url, credentials_of(credentials, has_password));
  AddedTarget added;
  if (!has_password) {
    added.password = Secret(Vault::random_password());
    repository.password = *added.password;
  }
  audited(session, {"", "backup target add", fmt::format("{}: {}", name, without_password(url))}, [&] {
    added.has_backups = !open_or_make(repository);
    added.target = {name, url, session.store().vault().seal_target(name, credentials_to_json(repository)), now()};
    session.store().add_backup_target(added.target);
  });
  return added;
}

std::vector<BackupTarget> list_targets(Session& session) {
  session.require_admin();
  auto targets = session.store().backup_targets();
  for (auto& target : targets) target.url = without_password(target.url);
  return targets;
}

void remove_target(Session& session, const std::string& name) {
  session.require_admin();
  choose_target(session, name);
  audited(session, {"", "backup target remove", name}, [&] { session.store().remove_backup_target(name); });
  wake_daemon(session.platform());
}

std::vector<ScheduleView> list_schedules(Session& session) {
  session.require_admin();
  std::vector<ScheduleView> views;
  for (auto& schedule : session.store().backup_schedules()) {
    const auto next = next_due(Schedule::parse(schedule.schedule), TimeZone::of_server(), schedule.seen);
    views.push_back({std::move(schedule), next});
  }
  return views;
}

void set_schedule(Session& session, const BackupSchedule& schedule) {
  session.require_admin();
  require_backup_right(session, schedule.of);
  require_there(session, schedule.of);
  choose_target(session, schedule.target);
  const auto parsed = Schedule::parse(schedule.schedule);
  audited(session, audit_of(schedule.of, "backup schedule", fmt::format("{} to {}", parsed.str(), schedule.target)),
          [&] { session.store().set_backup_schedule(schedule); });
  wake_daemon(session.platform());
}

void remove_schedule(Session& session, const BackupSubject& of) {
  session.require_admin();
  audited(session, audit_of(of, "backup schedule", "none"), [&] { session.store().remove_backup_schedule(of); });
  wake_daemon(session.platform());
}

Json to_json(const BackupTarget& target) {
  return {{"target", target.name}, {"url", target.url}, {"added", iso_time(target.added)}};
}

Json to_json(const ScheduleView& view) {
  const auto& schedule = view.schedule;
  return {{"app", schedule.of.is_app() ? Json(schedule.of.name) : Json(nullptr)},
          {"service", schedule.of.is_service() ? Json(schedule.of.name) : Json(nullptr)},
          {"target", schedule.target},
          {"schedule", schedule.schedule},
          {"keep", schedule.retention.count},
          {"keep_for_seconds", schedule.retention.age.count()},
          {"next", view.next ? Json(iso_time(*view.next)) : Json(nullptr)}};
}

}  // namespace pushrod
