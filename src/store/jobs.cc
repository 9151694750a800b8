// Jobs, and how far the clocks of cron jobs have been followed.
#include <fmt/format.h>

#include "base/error.hh"
#include "store/database.hh"

namespace pushrod {

namespace {

std::string select_jobs(std::string_view condition) {
  return fmt::format(
      "SELECT j.id, j.app_id, a.name, j.number, j.release, j.kind, j.name, j.author, j.started, j.ended,"
      " j.exit_code, j.outcome FROM jobs j JOIN apps a ON a.id = j.app_id {}",
      condition);
}

Job read_job(Query& row) {
  return Job{.id = row.integer(),
             .app_id = row.integer(),
             .app = row.name<AppName>(),
             .number = row.number<std::uint32_t>(),
             .release = row.number<ReleaseNumber>(),
             .kind = job_kind_from(row.text()),
             .name = row.text(),
             .author = row.text(),
             .started = row.time(),
             .ended = row.optional([](Query& column) { return column.time(); }),
             .exit_code = row.optional([](Query& column) { return column.number<int>(); }),
             .outcome = row.text()};
}

}  // namespace

Job Store::add_job(AppId app, JobKind kind, const std::string& name, const std::vector<std::string>& command,
                   const std::string& author) {
  Transaction transaction(*db_);
  const auto owner = this->app(app);
  if (!owner || !owner->live) {
    throw UserError(fmt::format("{} is not deployed", owner ? "app " + owner->name.str() : "the app"),
                    "push its branch first");
  }
  const auto sealed = vault().seal_command(app, command_to_json(command));
  const auto id = db_->query(
                         "INSERT INTO jobs (app_id, number, release, kind, name, sealed_command, author, started)"
                         " SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7 FROM jobs WHERE app_id = ?1"
                         " RETURNING id")
                      .with(app, *owner->live, to_string(kind), name, Blob{sealed}, author, now())
                      .only_integer();
  Job job = this->job(id.value()).value();
  transaction.commit();
  return job;
}

void Store::end_job(JobId id, std::optional<int> exit_code, const std::string& outcome) {
  Transaction transaction(*db_);
  db_->query(
         "UPDATE jobs SET ended = max(?2, started), exit_code = ?3, outcome = ?4, sealed_command = x''"
         " WHERE id = ?1 AND ended IS NULL")
      .with(id, now(), exit_code ? std::optional<std::int64_t>(*exit_code) : std::nullopt, outcome)
      .run();
  transaction.commit();
}

std::optional<Job> Store::job(JobId id) const {
  Query rows = db_->query(select_jobs("WHERE j.id = ?"));
  return read_first(rows.with(id), read_job);
}

std::vector<std::string> Store::job_command(const Job& job) const {
  Query rows = db_->query("SELECT sealed_command FROM jobs WHERE id = ?");
  const auto sealed = read_first(rows.with(job.id), [](Query& row) { return row.text(); });
  if (!sealed || sealed->empty()) return {};
  return command_from_json(vault().open_command(job.app_id, *sealed).reveal());
}

std::vector<Job> Store::running_jobs() const {
  Query rows = db_->query(select_jobs("WHERE j.ended IS NULL ORDER BY a.name, j.id"));
  return read_all(rows, read_job);
}

std::vector<Job> Store::jobs(AppId app, const std::string& name, unsigned most) const {
  Query rows = db_->query(select_jobs("WHERE j.app_id = ?1 AND j.name = ?2 ORDER BY j.id DESC LIMIT ?3"));
  return read_all(rows.with(app, name, most), read_job);
}

std::vector<Job> Store::jobs(AppId app, JobKind kind, unsigned most) const {
  Query rows = db_->query(select_jobs("WHERE j.app_id = ?1 AND j.kind = ?2 ORDER BY j.id DESC LIMIT ?3"));
  return read_all(rows.with(app, to_string(kind), most), read_job);
}

std::vector<Job> Store::prune_jobs(AppId app, unsigned keep) {
  Transaction transaction(*db_);
  Query rows = db_->query(select_jobs(
      "WHERE j.app_id = ?1 AND j.ended IS NOT NULL AND (SELECT count(*) FROM jobs newer"
      " WHERE newer.app_id = j.app_id AND newer.kind = j.kind AND newer.name = j.name AND newer.id > j.id) >= ?2"
      " ORDER BY j.id"));
  std::vector<Job> pruned = read_all(rows.with(app, keep), read_job);
  for (const Job& job : pruned) db_->query("DELETE FROM jobs WHERE id = ?").with(job.id).run();
  transaction.commit();
  return pruned;
}

std::vector<CronState> Store::cron_states(AppId app) const {
  Query rows = db_->query("SELECT name, schedule, seen FROM cron_states WHERE app_id = ? ORDER BY name");
  return read_all(rows.with(app),
                  [](Query& row) { return CronState{.name = row.text(), .schedule = row.text(), .seen = row.time()}; });
}

void Store::set_cron_state(AppId app, const CronState& state) {
  Transaction transaction(*db_);
  db_->query(
         "INSERT INTO cron_states (app_id, name, schedule, seen) SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM apps"
         " WHERE id = ?1) ON CONFLICT (app_id, name) DO UPDATE SET schedule = excluded.schedule, seen = excluded.seen")
      .with(app, state.name, state.schedule, state.seen)
      .run();
  transaction.commit();
}

void Store::remove_cron_state(AppId app, const std::string& name) {
  Transaction transaction(*db_);
  db_->query("DELETE FROM cron_states WHERE app_id = ? AND name = ?").with(app, name).run();
  transaction.commit();
}

}  // namespace pushrod
