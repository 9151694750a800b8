// What an archive of an app says of it, beside its files: pushrod-app.json (docs/files.md has the format).
// Plain values; to and from JSON.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/access_rules.hh"
#include "model/app.hh"
#include "model/app_setting.hh"
#include "model/job.hh"
#include "model/route.hh"

namespace pushrod {

// The newest version that this program reads. It writes the oldest one that has what the app needs: version 2 added
// services, version 3 their limits of disk and processors, which an older program would drop without a word.
inline constexpr unsigned kArchiveVersion = 3;

// A service that the app is attached to.
struct ArchivedService {
  std::string label;  // "db": names its dump, services/db.dump, and the service that an import makes of it
  std::string key{};  // under which the app's files declare it; empty: attached by hand
  std::string type, version{};
  std::uint64_t memory = 0;
  std::string prefix{};
  bool has_dump = false;  // of the app's own database; a file of the archive
  bool tcp = false;
  std::uint64_t disk = 0;    // bytes that its data may take; 0: what server.toml says
  unsigned cpu_percent = 0;  // of one processor; 0: not limited
};

// Its value is a file of the archive.
struct ArchivedSetting {
  bool secret = false;
  SettingScope scope = SettingScope::Both;
  bool operator==(const ArchivedSetting&) const = default;
};

struct ArchivedApp {
  AppName name;
  Source source;
  std::optional<CommitId> commit{};  // that the branch names; absent: no commit yet
  bool deployed = false;             // it had a live release
  bool stopped = false;
  Maintenance maintenance = Maintenance::Off;
  std::string maintenance_page{};
  AccessRules access{};  // passwords are hashed
  std::map<SettingName, ArchivedSetting> settings{};
  std::map<ProcessType, std::uint32_t> counts{};
  std::vector<CronState> crons{};
  std::vector<Route> domains{};
  std::vector<HostName> certificates{};  // those that an operator gave; files of the archive
  std::vector<ArchivedService> services{};
  WallTime made{};
};

std::string dump_member(const ArchivedService& service);

std::string to_json(const ArchivedApp& app);
// Strict. Throws UserError for a file that is not of this format, or of a newer version than this program reads.
ArchivedApp archived_app_from_json(const std::string& json);

}  // namespace pushrod
