// Cron jobs of an app's live release: when they are due, what came of them, and a run now.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "deploy/cron.hh"
#include "operate/json.hh"
#include "operate/session.hh"

namespace pushrod {

struct CronView {
  Cron cron;
  std::string zone;              // its time zone, by name
  std::optional<WallTime> next;  // absent while the app is stopped
  std::optional<Job> last;
};
Json to_json(const CronView& view);
Json to_json(const Job& job);

std::string result_of(const Job& job);     // "exit code 1", "running"
Milliseconds duration_of(const Job& job);  // until now while it runs

std::vector<CronView> cron_jobs(Session& session, const AppName& app);
std::vector<Job> cron_history(Session& session, const AppName& app, unsigned most);  // newest first

// Runs one now, attached to the caller's streams, and returns its exit code. Throws UserError when the release has no
// such job, or when it is running and may not run twice.
int run_cron_job(Session& session, const AppName& app, const std::string& name);

}  // namespace pushrod
