// restic: encrypted, deduplicated backups in a directory, over SFTP, in S3 and whatever else it supports.
// A backup is a snapshot of one stream. restic_words() and parse_snapshots() are pure.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hh"
#include "base/secret.hh"
#include "os/clock.hh"
#include "os/command.hh"

namespace pushrod {

struct ResticRepository {
  std::string url;
  Secret password;
  std::map<std::string, Secret> variables{};  // credentials: AWS_ACCESS_KEY_ID, …
  std::filesystem::path cache;                // safe to delete
};

// One snapshot that Pushrod has made.
struct Snapshot {
  std::string id;                           // as restic knows it now; changes when tags do
  std::map<std::string, std::string> tags;  // "app=shop" → {"app", "shop"}; "checked" → {"checked", ""}
  WallTime time;
};

Command restic_command(const ResticRepository& repository, std::vector<std::string> words);
std::vector<Snapshot> parse_snapshots(const std::string& json);

// Opens the repository, or makes it where there is none; true when it was made. Throws UserError with what restic says.
bool open_or_make(const ResticRepository& repository);
// Locks that a killed restic has left are removed. The caller makes sure that no other one works on it.
void remove_stale_locks(const ResticRepository& repository);
// With all of these tags; the oldest first.
std::vector<Snapshot> snapshots(const ResticRepository& repository, const std::vector<std::string>& tags);
// Runs a command of restic to its end; throws UserError with what it says.
std::string run_restic(const ResticRepository& repository, const std::vector<std::string>& words);
// The error of a restic that was started otherwise.
UserError restic_failed(const std::string& doing, const CommandResult& result, const std::string& complaints);

}  // namespace pushrod
