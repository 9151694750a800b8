// Backups: targets, schedules, runs.
#include <fmt/format.h>

#include "base/error.hh"
#include "store/database.hh"

namespace pushrod {

std::vector<BackupTarget> Store::backup_targets() const {
  Query rows = db_->query("SELECT name, url, sealed, added FROM backup_targets ORDER BY name");
  return read_all(rows, [](Query& row) {
    return BackupTarget{.name = row.text(), .url = row.text(), .sealed = row.text(), .added = row.time()};
  });
}

void Store::add_backup_target(const BackupTarget& target) {
  Transaction transaction(*db_);
  for (const auto& other : backup_targets()) {
    if (other.name == target.name) throw UserError(fmt::format("there is a backup target {} already", target.name));
  }
  db_->query("INSERT INTO backup_targets VALUES (?, ?, ?, ?)")
      .with(target.name, target.url, Blob{target.sealed}, target.added)
      .run();
  transaction.commit();
}

void Store::remove_backup_target(const std::string& name) {
  Transaction transaction(*db_);
  db_->query("DELETE FROM backup_schedules WHERE target = ?").with(name).run();
  db_->query("DELETE FROM backup_targets WHERE name = ?").with(name).run();
  transaction.commit();
}

std::vector<BackupSchedule> Store::backup_schedules() const {
  Query rows =
      db_->query("SELECT app, target, schedule, keep_count, keep_seconds, seen FROM backup_schedules ORDER BY app");
  return read_all(rows, [](Query& row) {
    BackupSchedule schedule;
    schedule.of = subject_from_key(row.text());
    schedule.target = row.text();
    schedule.schedule = row.text();
    schedule.retention.count = row.number<unsigned>();
    schedule.retention.age = std::chrono::seconds(row.integer());
    schedule.seen = row.time();
    return schedule;
  });
}

void Store::set_backup_schedule(const BackupSchedule& schedule) {
  Transaction transaction(*db_);
  db_->query("INSERT OR REPLACE INTO backup_schedules VALUES (?, ?, ?, ?, ?, ?)")
      .with(key_of(schedule.of), schedule.target, schedule.schedule, std::int64_t{schedule.retention.count},
            std::int64_t{schedule.retention.age.count()}, schedule.seen)
      .run();
  transaction.commit();
}

void Store::remove_backup_schedule(const BackupSubject& of) {
  Transaction transaction(*db_);
  db_->query("DELETE FROM backup_schedules WHERE app = ?").with(key_of(of)).run();
  transaction.commit();
}

std::int64_t Store::begin_backup(const BackupSubject& of, const std::string& target) {
  constexpr std::int64_t kKept = 50;  // of an app
  const auto key = key_of(of);
  Transaction transaction(*db_);
  // Only a holder of the target's lock begins one, so the process of a run without an end is gone.
  db_->query(
         "UPDATE backup_runs SET ended = ?, error = 'interrupted: its process was killed' WHERE target = ? AND ended "
         "IS NULL")
      .with(now(), target)
      .run();
  db_->query(
         "DELETE FROM backup_runs WHERE app = ?1 AND id NOT IN"
         " (SELECT id FROM backup_runs WHERE app = ?1 ORDER BY id DESC LIMIT ?2)"
         " AND id NOT IN (SELECT max(id) FROM backup_runs WHERE app = ?1 AND error = '')")
      .with(key, kKept)
      .run();
  db_->query("INSERT INTO backup_runs (app, target, started) VALUES (?, ?, ?)").with(key, target, now()).run();
  const auto id = db_->query("SELECT max(id) FROM backup_runs").only_integer().value();
  transaction.commit();
  return id;
}

void Store::end_backup(std::int64_t id, std::uint64_t bytes, const std::string& error) {
  Transaction transaction(*db_);
  db_->query("UPDATE backup_runs SET ended = ?, bytes = ?, error = ? WHERE id = ?")
      .with(now(), static_cast<std::int64_t>(bytes), error, id)
      .run();
  transaction.commit();
}

std::vector<BackupRun> Store::backup_runs(const BackupSubject& of) const {
  Query rows = db_->query(
      "SELECT id, app, target, started, ended, error, bytes FROM backup_runs WHERE app = ? ORDER BY id DESC");
  rows.with(key_of(of));
  return read_all(rows, [](Query& row) {
    BackupRun run;
    run.id = row.integer();
    run.of = subject_from_key(row.text());
    run.target = row.text();
    run.started = row.time();
    run.ended = row.optional([](Query& column) { return column.time(); });
    run.error = row.text();
    run.bytes = static_cast<std::uint64_t>(row.integer());
    return run;
  });
}

}  // namespace pushrod
