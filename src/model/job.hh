// A job: one run of a command beside an app's instances, by a person or by the clock.
// Its row records that it began. The process that looks after it holds a kernel lock (Layout::job_lock) for as long as
// it runs. A row without an end whose lock is free is settled as lost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/app.hh"
#include "model/names.hh"
#include "os/clock.hh"

namespace pushrod {

using JobId = std::int64_t;

// What one-off commands are called: the process type in "blog.14.run.3". No process type and no cron job has that name.
inline constexpr std::string_view kRunName = "run";

enum class JobKind { Run, Cron };
std::string_view to_string(JobKind kind);
JobKind job_kind_from(std::string_view text);

struct Job {
  JobId id = 0;
  AppId app_id = 0;
  AppName app;
  std::uint32_t number = 0;   // counted per app, never reused
  ReleaseNumber release = 0;  // whose code and environment it has
  JobKind kind = JobKind::Run;
  std::string name;    // "run", or the cron job's
  std::string author;  // name of the key, "local:<user>", or "cron"
  WallTime started;
  std::optional<WallTime> ended;
  std::optional<int> exit_code;  // absent when it did not exit by itself
  std::string outcome;           // "exit code 1", "killed by SIGKILL", "lost"; empty while it runs

  std::string short_name() const;  // "run.3"
  InstanceName instance() const;   // "blog.14.run.3": its sandbox, its logs
};

// How far the clock of an app's cron job has been followed.
struct CronState {
  std::string name;
  std::string schedule;  // with its zone, as it was then: another one begins anew
  WallTime seen;
};

// As a person would type it: what /bin/sh is given, or the words, quoted where they need it.
std::string shown_command(const std::vector<std::string>& command);

std::string command_to_json(const std::vector<std::string>& command);
std::vector<std::string> command_from_json(const std::string& json);

}  // namespace pushrod
