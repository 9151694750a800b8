// When backups are due: the daemon calls it.
#pragma once

#include <optional>

#include <string>

#include "deploy/platform.hh"
#include "model/backup.hh"

namespace pushrod {

// Why its backups are no good: the last one failed, or one is late; empty: all is well.
std::string backup_problem(const Store& store, const BackupSubject& of, const std::optional<BackupSchedule>& schedule,
                           WallTime now);

// Makes what is due, one backup after the other; returns when the next is. A run that ends with the daemon is made up
// for when it is back.
std::optional<WallTime> follow_backup_schedules(const Platform& platform, WallTime now);

}  // namespace pushrod
