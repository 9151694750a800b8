// cron list, run, history: what the live release runs by the clock. The daemon starts them (deploy/cron.hh).
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/cron_jobs.hh"

namespace pushrod {

namespace {

struct CronWords {
  std::string app, name;
  unsigned most = 20;
  bool json = false;
};

int cron_list(Context& context, const CronWords& words) {
  const auto name = AppName::parse(words.app);
  auto list = Json::array();
  Table table({"NAME", "SCHEDULE", "TIME ZONE", "NEXT RUN (UTC)", "LAST RUN (UTC)", "RESULT", "COMMAND"});
  for (const auto& view : cron_jobs(context, name)) {
    list.push_back(to_json(view));
    table.add({view.cron.name, view.cron.schedule, view.zone, view.next ? format_time(*view.next) : "-",
               view.last ? format_time(view.last->started) : "-", view.last ? result_of(*view.last) : "-",
               view.cron.command});
  }
  if (words.json) {
    print_json(list);
  } else if (!table.is_empty()) {
    print(table.str());
  } else {
    const bool is_live = context.Session::require_app(name, Right::See).live.has_value();
    print(is_live ? fmt::format("The live release of {} has no cron jobs.\n", name.str())
                  : fmt::format("App {} is not deployed.\n", name.str()));
  }
  return kExitOk;
}

int cron_history(Context& context, const CronWords& words) {
  auto list = Json::array();
  Table table({"JOB", "STARTED (UTC)", "TOOK", "RESULT", "BY"});
  for (const auto& job : cron_history(context, AppName::parse(words.app), words.most)) {
    list.push_back(to_json(job));
    table.add(
        {job.short_name(), format_time(job.started), format_duration(duration_of(job)), result_of(job), job.author});
  }
  if (words.json) {
    print_json(list);
  } else {
    print(table.is_empty() ? fmt::format("No cron job of {} has run yet.\n", words.app) : table.str());
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
            [words](Context& context) { return run_cron_job(context, AppName::parse(words->app), words->name); })
      .app(words->app)
      .needs("NAME", words->name, "the cron job");
  grammar
      .verb("cron", "history", "the runs, newest first",
            [words](Context& context) { return cron_history(context, *words); })
      .app(words->app)
      .option("-n", words->most, "how many (default: 20)")
      .json(words->json);
}

}  // namespace pushrod
