// Backups: where they go, when they are due, how each run ended.
// Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/app.hh"
#include "model/names.hh"

namespace pushrod {

// What a backup is of: an app, a service by itself, or the platform. It outlives all of them, so it is a name.
struct BackupSubject {
  enum class Kind { Platform, App, Service };
  Kind kind = Kind::Platform;
  std::string name{};

  static BackupSubject of(const AppName& app) { return {Kind::App, app.str()}; }
  static BackupSubject of(const ServiceName& service) { return {Kind::Service, service.str()}; }
  bool is_platform() const { return kind == Kind::Platform; }
  bool is_app() const { return kind == Kind::App; }
  bool is_service() const { return kind == Kind::Service; }
  bool operator==(const BackupSubject&) const = default;
};

// In rows and archives: "shop", "service:main"; empty: the platform.
std::string key_of(const BackupSubject& subject);
BackupSubject subject_from_key(const std::string& key);
// For people: "shop", "service main", "the platform".
std::string shown(const BackupSubject& subject);

// A place for backups. The credentials, and the password that encrypts the backups, are sealed.
struct BackupTarget {
  std::string name;
  std::string url;
  std::string sealed;
  WallTime added;
};

// 1 to 40 of a-z, 0-9 and '-', as the names of apps. Throws UserError.
std::string parse_target_name(const std::string& text);

// What a target keeps of an app or a service. Of both, what keeps more counts.
struct BackupRetention {
  unsigned count = 7;           // the newest
  std::chrono::seconds age{0};  // those that are younger; 0: by count alone
};

struct BackupSchedule {
  BackupSubject of;  // the platform: also all apps, and the services that no app is attached to
  std::string target;
  std::string schedule;  // model/schedule.hh, in the machine's time zone
  BackupRetention retention;
  WallTime seen;  // up to when the clock was followed
};

// One run.
struct BackupRun {
  std::int64_t id = 0;
  BackupSubject of;
  std::string target;
  WallTime started;
  std::optional<WallTime> ended;
  std::string error;        // empty: it was written and read back
  std::uint64_t bytes = 0;  // of the stream
  bool is_good() const { return ended && error.empty(); }
};

}  // namespace pushrod
