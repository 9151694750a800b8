// Cron, by a clock that is given.
#include "deploy/cron.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "deploy/attempt.hh"
#include "deploy/held_jobs.hh"

namespace pushrod {

namespace {

constexpr std::chrono::hours kMadeUpFor{1};
constexpr std::chrono::hours kSmallStep{3};  // back: as Debian's cron has it
constexpr std::chrono::minutes kTolerance{1};
constexpr std::chrono::seconds kHeldPause{2};

std::optional<WallTime> earlier(std::optional<WallTime> one, std::optional<WallTime> other) {
  if (!one || !other) return one ? one : other;
  return std::min(*one, *other);
}

// From when on times count. A run that waited for the one before it is not late because that one took long.
WallTime count_from(const Platform& platform, const App& app, const Cron& cron, WallTime now) {
  const WallTime hour_ago = now - kMadeUpFor;
  if (cron.overlap != Cron::Overlap::Wait) return hour_ago;
  const auto last = platform.store.jobs(app.id, cron.name, 1);
  if (last.empty() || (last.front().ended && *last.front().ended < hour_ago)) return hour_ago;
  return std::min(hour_ago, last.front().started);
}

}  // namespace

CronLook look_at(const Schedule& schedule, const TimeZone& zone, WallTime seen, WallTime since, WallTime now) {
  CronLook look;
  const auto back = seen - now;
  if (back > kSmallStep || (back > kTolerance && !schedule.has_fixed_hour())) seen = now;
  look.seen = seen;
  look.next = next_due(schedule, zone, std::max(seen, since));
  while (look.next && *look.next <= now) {
    look.due = look.seen = *look.next;
    look.next = next_due(schedule, zone, *look.next);
  }
  return look;
}

std::string schedule_key(const Cron& cron) {
  return fmt::format("{} {}", cron.schedule, TimeZone::require(cron.timezone).name());
}

CronTable live_crons(const Platform& platform, const App& app) {
  const auto release = app.live ? platform.store.release(app.id, *app.live) : std::nullopt;
  return release ? release->crons : CronTable{};
}

JobRequest cron_request(const Platform& platform, const App& app, const Cron& cron, const std::string& author) {
  return {app.id, JobKind::Cron, cron.name, platform.engine.shell_words(cron.command), author};
}

bool is_running(const Platform& platform, const App& app, const Cron& cron) {
  const auto running = platform.store.running_jobs();
  return std::any_of(running.begin(), running.end(),
                     [&](const Job& job) { return job.app_id == app.id && job.name == cron.name; });
}

std::optional<WallTime> CronClock::pass(WallTime now) {
  std::optional<WallTime> next;
  for (const auto& app : platform_.store.apps()) {
    attempt("cron jobs of " + app.name.str(), [&] { next = earlier(next, pass_app(app, now)); });
  }
  return next;
}

std::optional<WallTime> CronClock::pass_app(const App& app, WallTime now) {
  const auto states = platform_.store.cron_states(app.id);
  const auto crons = app.stopped ? CronTable{} : live_crons(platform_, app);
  for (const auto& state : states) {
    const auto is_its = [&](const Cron& cron) { return cron.name == state.name; };
    if (std::none_of(crons.begin(), crons.end(), is_its)) platform_.store.remove_cron_state(app.id, state.name);
  }
  std::optional<WallTime> next;
  for (const auto& cron : crons) {
    const auto key = schedule_key(cron);
    const auto known = std::find_if(states.begin(), states.end(), [&](const CronState& state) {
      return state.name == cron.name && state.schedule == key;
    });
    if (known == states.end()) platform_.store.set_cron_state(app.id, {cron.name, key, now});
    next = earlier(next, pass_cron(app, cron, known == states.end() ? now : known->seen, now));
  }
  return next;
}

std::optional<WallTime> CronClock::pass_cron(const App& app, const Cron& cron, WallTime seen, WallTime now) {
  const auto look = look_at(Schedule::parse(cron.schedule), TimeZone::require(cron.timezone), seen,
                            count_from(platform_, app, cron, now), now);
  const bool runs = look.due && cron.overlap != Cron::Overlap::Allow && is_running(platform_, app, cron);
  // Still due when that is over, which no event tells.
  if (look.due && are_jobs_held(platform_, app.id)) return earlier(look.next, now + kHeldPause);
  // The end of the run before wakes us.
  if (runs && cron.overlap == Cron::Overlap::Wait) return look.next;
  // Remembered first: killed in between, we run it not at all rather than twice.
  if (look.seen != seen) platform_.store.set_cron_state(app.id, {cron.name, schedule_key(cron), look.seen});
  if (runs) {
    fmt::print(stderr, "cron job {} of {} is skipped: its previous run has not ended\n", cron.name, app.name.str());
  } else if (look.due) {
    attempt(fmt::format("starting cron job {} of {}", cron.name, app.name.str()),
            [&] { start_(cron_request(platform_, app, cron, "cron")); });
  }
  return look.next;
}

}  // namespace pushrod
