#include "deploy/held_jobs.hh"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/error.hh"
#include "deploy/control.hh"
#include "os/file_lock.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kPause{20};  // no event tells another process that a job has ended

std::optional<Job> running_job_of(const Platform& platform, const std::vector<AppId>& apps) {
  for (const auto& job : platform.store.running_jobs()) {
    if (std::ranges::find(apps, job.app_id) != apps.end()) return job;
  }
  return std::nullopt;
}

}  // namespace

bool are_jobs_held(const Platform& platform, AppId app) {
  const auto deployments = platform.store.unfinished_deployments();
  const bool holds =
      std::ranges::any_of(deployments, [&](const Deployment& one) { return one.app_id == app && one.holds; });
  if (holds) return true;
  for (const auto& attachment : platform.store.attachments_of(app)) {
    const auto service = platform.store.service(attachment.service);
    if (service && !service->upgrade.empty()) return true;
  }
  return false;
}

void await_end_of_jobs(const Platform& platform, const std::vector<AppId>& apps, Milliseconds longest, int cancel_fd) {
  // Once this lock was held, a job that began before has its row.
  FileLock::acquire(platform.layout.job_begin_lock());
  const Deadline deadline(longest);
  while (const auto job = running_job_of(platform, apps)) {
    if (deadline.passed()) {
      throw UserError(
          fmt::format("{} of {} is running, and what it writes could be lost", job->short_name(), job->app.str()),
          fmt::format("wait until it ends, or end it (run {} --stop {}), then try again", job->app.str(),
                      job->short_name()));
    }
    check_cancelled(cancel_fd);
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace pushrod
