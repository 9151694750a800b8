#include "operate/cron_jobs.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "operate/jobs.hh"

namespace pushrod {

namespace {

std::optional<WallTime> next_run(Session& session, const App& app, const Cron& cron) {
  if (app.stopped) return std::nullopt;
  const auto zone = TimeZone::require(cron.timezone);
  const auto at = now();
  for (const auto& state : session.store().cron_states(app.id)) {
    if (state.name != cron.name || state.schedule != schedule_key(cron)) continue;
    const auto look = look_at(Schedule::parse(cron.schedule), zone, state.seen, at - std::chrono::hours{1}, at);
    return look.due ? look.due : look.next;
  }
  return next_due(Schedule::parse(cron.schedule), zone, at);
}

Cron require_cron(const Platform& platform, const App& app, const std::string& name) {
  std::vector<std::string> known;
  for (auto& cron : live_crons(platform, app)) {
    if (cron.name == name) return cron;
    known.push_back(cron.name);
  }
  throw UserError(
      fmt::format("{} has no cron job {}", app.name.str(), quoted(name)),
      known.empty() ? "its pushrod.toml has no [[cron]], or it is not deployed" : "it has: " + join(known, ", "));
}

}  // namespace

std::string result_of(const Job& job) { return job.ended ? job.outcome : "running"; }

Milliseconds duration_of(const Job& job) {
  const auto passed = std::chrono::duration_cast<Milliseconds>(job.ended.value_or(now()) - job.started);
  return std::max(passed, Milliseconds{0});
}

Json to_json(const Job& job) {
  return {{"job", job.short_name()},
          {"name", job.name},
          {"release", job.release},
          {"author", job.author},
          {"started", iso_time(job.started)},
          {"ended", job.ended ? Json(iso_time(*job.ended)) : Json(nullptr)},
          {"duration_ms", job.ended ? Json(duration_of(job).count()) : Json(nullptr)},
          {"exit_code", job.exit_code ? Json(*job.exit_code) : Json(nullptr)},
          {"result", result_of(job)}};
}

Json to_json(const CronView& view) {
  return {{"name", view.cron.name},
          {"schedule", view.cron.schedule},
          {"timezone", view.zone},
          {"command", view.cron.command},
          {"timeout_ms", view.cron.timeout.count()},
          {"next", view.next ? Json(iso_time(*view.next)) : Json(nullptr)},
          {"last", view.last ? to_json(*view.last) : Json(nullptr)}};
}

std::vector<CronView> cron_jobs(Session& session, const AppName& name) {
  const auto app = session.require_app(name, Right::See);
  std::vector<CronView> views;
  for (auto& cron : live_crons(session.platform(), app)) {
    const auto next = next_run(session, app, cron);
    const auto jobs = session.store().jobs(app.id, cron.name, 1);
    const auto zone = TimeZone::require(cron.timezone).name();
    views.push_back({std::move(cron), zone, next, jobs.empty() ? std::nullopt : std::optional(jobs.front())});
  }
  return views;
}

std::vector<Job> cron_history(Session& session, const AppName& name, unsigned most) {
  const auto app = session.require_app(name, Right::See);
  return session.store().jobs(app.id, JobKind::Cron, most);
}

int run_cron_job(Session& session, const AppName& name, const std::string& cron_name) {
  const auto app = session.require_app(name, Right::Deploy);
  const auto platform = session.platform();
  const auto cron = require_cron(platform, app, cron_name);
  if (cron.overlap != Cron::Overlap::Allow && is_running(platform, app, cron)) {
    throw UserError(fmt::format("cron job {} is already running", cron.name),
                    "with overlap = \"allow\" it may run twice at a time");
  }
  return audited_job(session, {name.str(), "cron run", cron.name}, [&] {
    Attachment attachment;
    attachment.deadline = cron.timeout;
    return run_job(platform, cron_request(platform, app, cron, session.caller().author()), attachment);
  });
}

}  // namespace pushrod
