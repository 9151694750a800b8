// cron: what the live release runs by the clock, what came of it, and a run now.
// The daemon does the running (deploy/cron.hh).
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/audited.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "deploy/cron.hh"

namespace pushrod {

namespace {

struct CronWords {
  std::string app, name;
  unsigned most = 20;
  bool json = false;
};

std::optional<WallTime> next_run(Context& context, const App& app, const Cron& cron) {
  if (app.stopped) return std::nullopt;
  const auto zone = TimeZone::require(cron.timezone);
  const auto at = now();
  for (const auto& state : context.store().cron_states(app.id)) {
    if (state.name != cron.name || state.schedule != schedule_key(cron)) continue;
    const auto look = look_at(Schedule::parse(cron.schedule), zone, state.seen, at - std::chrono::hours{1}, at);
    return look.due ? look.due : look.next;
  }
  return next_due(Schedule::parse(cron.schedule), zone, at);
}

std::string result_of(const Job& job) { return job.ended ? job.outcome : "running"; }

Milliseconds duration_of(const Job& job) {
  const auto passed = std::chrono::duration_cast<Milliseconds>(job.ended.value_or(now()) - job.started);
  return std::max(passed, Milliseconds{0});
}

Json json_of(const Job& job) {
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

int cron_list(Context& context, const CronWords& words) {
  const auto app = context.require_app(words.app, Right::See);
  const auto platform = context.platform();
  auto list = Json::array();
  Table table({"NAME", "SCHEDULE", "TIME ZONE", "NEXT RUN (UTC)", "LAST RUN (UTC)", "RESULT", "COMMAND"});
  for (const auto& cron : live_crons(platform, app)) {
    const auto next = next_run(context, app, cron);
    const auto jobs = context.store().jobs(app.id, cron.name, 1);
    const auto zone = TimeZone::require(cron.timezone).name();
    list.push_back({{"name", cron.name},
                    {"schedule", cron.schedule},
                    {"timezone", zone},
                    {"command", cron.command},
                    {"timeout_ms", cron.timeout.count()},
                    {"next", next ? Json(iso_time(*next)) : Json(nullptr)},
                    {"last", jobs.empty() ? Json(nullptr) : json_of(jobs.front())}});
    table.add({cron.name, cron.schedule, zone, next ? format_time(*next) : "-",
               jobs.empty() ? "-" : format_time(jobs.front().started), jobs.empty() ? "-" : result_of(jobs.front()),
               cron.command});
  }
  if (words.json) {
    print_json(list);
  } else {
    print(!table.is_empty() ? table.str()
          : app.live        ? fmt::format("The live release of {} has no cron jobs.\n", app.name.str())
                            : fmt::format("App {} is not deployed.\n", app.name.str()));
  }
  return kExitOk;
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

int cron_run(Context& context, const CronWords& words) {
  const auto app = context.require_app(words.app, Right::Deploy);
  const auto platform = context.platform();
  const auto cron = require_cron(platform, app, words.name);
  if (cron.overlap != Cron::Overlap::Allow && is_running(platform, app, cron)) {
    throw UserError(fmt::format("cron job {} runs already", cron.name), "overlap = \"allow\" would let it run twice");
  }
  return audited_exit(context, {{app.name.str(), "cron run", cron.name}}, [&] {
    Attachment attachment;
    attachment.deadline = cron.timeout;
    return run_job(platform, cron_request(app, cron, context.caller().author()), attachment);
  });
}

int cron_history(Context& context, const CronWords& words) {
  const auto app = context.require_app(words.app, Right::See);
  auto list = Json::array();
  Table table({"JOB", "STARTED (UTC)", "TOOK", "RESULT", "BY"});
  for (const auto& job : context.store().jobs(app.id, JobKind::Cron, words.most)) {
    list.push_back(json_of(job));
    table.add(
        {job.short_name(), format_time(job.started), format_duration(duration_of(job)), result_of(job), job.author});
  }
  if (words.json) {
    print_json(list);
  } else {
    print(table.is_empty() ? fmt::format("No cron job of {} has run yet.\n", app.name.str()) : table.str());
  }
  return kExitOk;
}

}  // namespace

void add_cron_verbs(Grammar& grammar) {
  const auto words = std::make_shared<CronWords>();
  grammar.describe_group("cron", "what an app runs by the clock");
  grammar
      .verb("cron", "list", "the cron jobs of the live release, and when they are due",
            [words](Context& context) { return cron_list(context, *words); })
      .app(words->app)
      .json(words->json);
  grammar
      .verb("cron", "run", "run one now, with its output shown here",
            [words](Context& context) { return cron_run(context, *words); })
      .app(words->app)
      .needs("NAME", words->name, "the cron job");
  grammar
      .verb("cron", "history", "the runs, newest first",
            [words](Context& context) { return cron_history(context, *words); })
      .app(words->app)
      .option("-n", words->most, "how many at the most (default: 20)")
      .json(words->json);
}

}  // namespace pushrod
