// Backups of services by themselves, back again.
#pragma once

#include <optional>

#include "deploy/service_archive.hh"
#include "operate/backups.hh"
#include "operate/service_upgrade.hh"

namespace pushrod {

// What is in one; the files of its dumps are gone.
ArchivedServer show_service_backup(Session& session, const BackupView& view);
Json to_json(const ArchivedServer& archive);

// In the place of what the service holds, or as a new service where there is none of this name. All or nothing. What
// was there before is kept as by an upgrade. For administrators of the machine.
struct RestoredService {
  BackingService service;
  bool in_place = false;
};
RestoredService restore_service_backup(Session& session, const BackupView& view, const std::optional<ServiceName>& to,
                                       const Tell& tell, int cancel_fd);

}  // namespace pushrod
