// The steps that only a rename has. Its instances start under the new name beside the old ones; the commit gives the
// app its new name, and after it the directories move (app_directories.hh).
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "deploy/app_directories.hh"
#include "deploy/steps.hh"

namespace pushrod {

namespace {

void check_jobs(const Run& run, const App& app) {
  for (const auto& job : run.platform.store.running_jobs()) {
    if (job.app_id != app.id) continue;
    throw UserError(
        fmt::format("{} of {} is running, and a rename would change its name", job.short_name(), app.name.str()),
        fmt::format("wait until it ends (ps {}) or stop it, then try again", app.name.str()));
  }
}

}  // namespace

void begin_rename(Run& run) {
  if (!run.change.new_name) return;
  const auto& app = run.parts.front().app;
  if (run.platform.store.app(*run.change.new_name)) {
    throw UserError(fmt::format("app {} already exists", run.change.new_name->str()), "choose another name");
  }
  const auto renaming = renaming_of(run.parts.front().deployment);
  if (!renaming || renaming->from != app.name) {
    throw UserError(
        fmt::format("the app was renamed to {} in the meantime", app.name.str()),
        fmt::format("rename it by that name: app rename {} {}", app.name.str(), run.change.new_name->str()));
  }
  check_jobs(run, app);
  link_directories(run.platform.layout, *renaming);
}

void hold_jobs(Run& run) {
  if (!run.change.new_name) return;
  run.locks.push_back(FileLock::acquire(run.platform.layout.job_begin_lock()));
  check_jobs(run, run.parts.front().app);
}

}  // namespace pushrod
