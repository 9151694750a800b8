// Cron: what the live releases want to have run by the clock, and when.
// The database records up to when each cron job's clock has been followed, so that a restart of the daemon neither
// doubles nor forgets a run: a time that passed while the daemon was down is made up for once, if it is less than an
// hour ago.
#pragma once

#include <functional>
#include <optional>

#include "deploy/jobs.hh"
#include "model/schedule.hh"

namespace pushrod {

// What the clock says about one cron job. Pure.
struct CronLook {
  std::optional<WallTime> due;   // to be run now: the latest time that has come, however many have
  std::optional<WallTime> next;  // the first time to come
  WallTime seen;                 // what is to be remembered when the run has been decided on
};
// `seen`: up to when it was followed; `since`: times before it are let go. A clock that was set back does not double a
// run of a fixed hour (by three hours at most), and never stops one: where it was set back further, it begins anew.
CronLook look_at(const Schedule& schedule, const TimeZone& zone, WallTime seen, WallTime since, WallTime now);

// What `seen` belongs to: another schedule or zone begins anew.
std::string schedule_key(const Cron& cron);

class CronClock {
 public:
  using Start = std::function<void(const JobRequest&)>;
  CronClock(const Platform& platform, Start start) : platform_(platform), start_(std::move(start)) {}

  // Starts what is due; returns when the next is (absent: nothing waits for the clock). A stopped app, and one that is
  // not deployed, runs nothing, and nothing is made up for when it comes back. What fails for one app is reported.
  std::optional<WallTime> pass(WallTime now);

 private:
  std::optional<WallTime> pass_app(const App& app, WallTime now);
  std::optional<WallTime> pass_cron(const App& app, const Cron& cron, WallTime seen, WallTime now);

  const Platform& platform_;
  Start start_;
};

// The cron jobs of the app's live release; none when it is not deployed.
CronTable live_crons(const Platform& platform, const App& app);
JobRequest cron_request(const Platform& platform, const App& app, const Cron& cron, const std::string& author);
bool is_running(const Platform& platform, const App& app, const Cron& cron);

}  // namespace pushrod
