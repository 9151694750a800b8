// Backups: where they go, when they are due, how each run ended.
// Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/app.hh"

namespace pushrod {

// A place for backups. The credentials, and the password that encrypts the backups, are sealed.
struct BackupTarget {
  std::string name;
  std::string url;
  std::string sealed;
  WallTime added;
};

// 1 to 40 of a-z, 0-9 and '-', as the names of apps. Throws UserError.
std::string parse_target_name(const std::string& text);

// What a target keeps of an app. Of both, what keeps more counts.
struct BackupRetention {
  unsigned count = 7;           // the newest
  std::chrono::seconds age{0};  // those that are younger; 0: by count alone
};

struct BackupSchedule {
  std::string app;  // empty: all apps and the platform itself
  std::string target;
  std::string schedule;  // model/schedule.hh, in the machine's time zone
  BackupRetention retention;
  WallTime seen;  // up to when the clock was followed
};

// One run, of an app or of the platform (empty).
struct BackupRun {
  std::int64_t id = 0;
  std::string app;
  std::string target;
  WallTime started;
  std::optional<WallTime> ended;
  std::string error;        // empty: it was written and read back
  std::uint64_t bytes = 0;  // of the stream
  bool is_good() const { return ended && error.empty(); }
};

}  // namespace pushrod
