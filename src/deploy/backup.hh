// Backups of apps, of services by themselves, and of the platform itself, with restic. A backup is an archive
// (archive/tar.hh) as one snapshot, with the tags "pushrod", "app=<name>" ("service=<name>"; "platform") and, once it
// has been read back, "checked". Snapshots without the last are what failed runs have left: the next run of the target
// removes them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "archive/tar.hh"
#include "deploy/platform.hh"
#include "model/backup.hh"
#include "restic/restic.hh"

namespace pushrod {

// For Vault::seal_target(): the password and the variables, as text; and back.
std::string credentials_to_json(const ResticRepository& repository);
ResticRepository repository_of(const Platform& platform, const BackupTarget& target);
ResticRepository repository_from(const Layout& layout, const std::string& url, const std::string& credentials);

// A place that is lost together with the root directory, or that depends on where a command is started, is refused.
void check_target_url(const Layout& layout, const std::string& url);

// One run: writes, reads back, and removes what the retention lets go. Throws what went wrong, which is recorded with
// the run. Throws UserError when another run of the target goes on.
struct MadeBackup {
  std::string snapshot;
  std::uint64_t bytes = 0;
  std::vector<std::string> notes;  // for people, a line each
};
// `before` is called first, and may fail the run.
MadeBackup make_backup(const Platform& platform, const BackupTarget& target, const BackupSubject& of,
                       const std::optional<BackupRetention>& retention, const std::function<void()>& before);

// The good ones, the oldest first: of one subject, or of all.
struct KeptBackup {
  std::string snapshot;
  BackupSubject of;
  WallTime time;
};
std::vector<KeptBackup> kept_backups(const ResticRepository& repository, const std::optional<BackupSubject>& of);

// Removes backups beyond the retention; returns how many.
std::size_t prune_backups(const Platform& platform, const BackupTarget& target, const BackupSubject& of,
                          const BackupRetention& retention);

// The archive of a backup, read from the target while this object lives.
class BackupReader {
 public:
  BackupReader(const Transfer& transfer, const ResticRepository& repository, const std::string& snapshot);
  int fd() const noexcept { return pipe_.read_end.get(); }
  // After all was read: throws unless restic delivered it whole.
  void finish();

 private:
  UniqueFd log_;
  Pipe pipe_;
  ChildProcess restic_;
};

// Is it backed up together with everything? A service is, when no app is attached to it: otherwise it is in the backups
// of its apps, unless it has a schedule of its own.
bool is_part_of_all(const Store& store, const BackupSubject& of);
// Those services, which keep something.
std::vector<BackingService> services_by_themselves(const Store& store);
// The schedule that it has: its own, or that of all.
std::optional<BackupSchedule> schedule_of(const Store& store, const BackupSubject& of);

}  // namespace pushrod
