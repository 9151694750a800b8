// How it is with the backups of an app, a service or the platform: for app info, service info and doctor.
#pragma once

#include <optional>
#include <string>

#include "operate/json.hh"
#include "operate/session.hh"

namespace pushrod {

struct BackupState {
  std::optional<WallTime> last_good;
  std::string target{};  // where that is
  bool is_scheduled = false;
  std::string problem{};  // late, or failed; empty: neither
};
BackupState backup_state(Session& session, const BackupSubject& of);
Json to_json(const BackupState& state);
// "2026-11-29 03:00 UTC in offsite; FAILED: …"
std::string described(const BackupState& state);

}  // namespace pushrod
