// When backups are due, and which are late.
#include "deploy/backup_clock.hh"

#include <fmt/format.h>

#include "base/text.hh"
#include "deploy/backup.hh"
#include "deploy/cron.hh"
#include "os/command.hh"

namespace pushrod {

namespace {

constexpr std::chrono::hours kGrace{2};  // that a run may take, or wait for another one
constexpr std::chrono::hours kMadeUpFor{12};
constexpr std::chrono::hours kDeadline{24 * 7};

// As a process of its own, which ends with the daemon. It writes how it ended to the database.
void run_backup(const Platform& platform, const BackupSchedule& schedule) {
  Command command;
  command.argv = {own_program().string(), "--root", platform.layout.root().string(), "backup", "create"};
  command.argv.push_back(schedule.of.is_platform() ? "--all" : schedule.of.name);
  if (schedule.of.is_service()) command.argv.emplace_back("--service");
  command.argv.insert(command.argv.end(), {"--target", schedule.target});
  command.deadline = kDeadline;
  const auto result = run(command);
  if (!result.ok())
    fmt::print(stderr, "backup of {}: {}\n", schedule.of.is_platform() ? "all" : shown(schedule.of),
               escaped(result.err));
}

}  // namespace

std::string backup_problem(const Store& store, const BackupSubject& of, const std::optional<BackupSchedule>& schedule,
                           WallTime now) {
  const auto runs = store.backup_runs(of);
  if (!runs.empty() && runs.front().ended && !runs.front().error.empty()) return "failed: " + runs.front().error;
  if (!schedule) return {};
  WallTime last = schedule->seen;
  for (const auto& run : runs) {
    if (run.is_good()) {
      last = run.started;
      break;
    }
  }
  const auto due = next_due(Schedule::parse(schedule->schedule), TimeZone::of_server(), last);
  if (due && *due + kGrace < now) return fmt::format("late: it was due at {} UTC", format_time(*due));
  return {};
}

std::optional<WallTime> follow_backup_schedules(const Platform& platform, WallTime now) {
  std::optional<WallTime> next;
  for (auto& schedule : platform.store.backup_schedules()) {
    const auto look =
        look_at(Schedule::parse(schedule.schedule), TimeZone::of_server(), schedule.seen, now - kMadeUpFor, now);
    if (look.due) {
      run_backup(platform, schedule);
    }
    if (look.seen != schedule.seen) {
      schedule.seen = look.seen;
      platform.store.set_backup_schedule(schedule);
    }
    if (look.next && (!next || *look.next < *next)) next = look.next;
  }
  return next;
}

}  // namespace pushrod
