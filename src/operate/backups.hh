// Backups: where they go, when they are made, and back again.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "deploy/backup.hh"
#include "operate/app_archives.hh"
#include "operate/audit.hh"
#include "operate/backup_state.hh"
#include "operate/json.hh"

namespace pushrod {

// --- targets: for administrators of the machine
// Lines NAME=value → what repository_from() reads. `has_password`: RESTIC_PASSWORD is among them.
std::string credentials_of(const std::string& lines, bool& has_password);

struct AddedTarget {
  BackupTarget target{};
  std::optional<Secret> password{};  // that Pushrod has made; to be shown once
  bool has_backups = false;          // the target had a repository already
};
// `credentials`: lines NAME=value for restic (AWS_ACCESS_KEY_ID, …). RESTIC_PASSWORD among them opens backups that are
// there, or is the password of new ones. Makes the repository, if there is none.
AddedTarget add_target(Session& session, const std::string& name, const std::string& url,
                       const std::string& credentials);
std::vector<BackupTarget> list_targets(Session& session);
// The backups in it stay.
void remove_target(Session& session, const std::string& name);
Json to_json(const BackupTarget& target);

// The target of this name; without one, the only target that there is.
BackupTarget choose_target(Session& session, const std::string& name);

// What this name means: the app, or else the service of this name; with a target, also one that is gone and has backups
// there. `is_service`: the service in any case.
BackupSubject backup_subject(Session& session, const std::string& name, bool is_service, const BackupTarget* target);
// Everything that --all means: apps, services that no app is attached to, the platform. For administrators.
std::vector<BackupSubject> all_subjects(Session& session);

// Throws UserError unless the caller may make and see its backups. It may be gone: then an administrator may.
void require_backup_right(Session& session, const BackupSubject& of);
// Throws UserError when it is gone.
void require_there(Session& session, const BackupSubject& of);
AuditedChange audit_of(const BackupSubject& of, const std::string& action, const std::string& detail);

// --- backups. Those of an app need the right to administer it, those of a service that for all apps that are attached
// to it; everything else is for administrators of the machine.
MadeBackup create_backup(Session& session, const BackupSubject& of, const BackupTarget& target);

struct BackupView {
  KeptBackup backup;
  std::string target;
};
Json to_json(const BackupView& view);
std::vector<BackupView> list_backups(Session& session, const std::optional<BackupSubject>& of,
                                     const BackupTarget& target);
// The description in one of an app.
ArchivedApp show_backup(Session& session, const BackupView& view);

// The backup of this id, or the newest one. Throws UserError when there is none.
BackupView find_backup(Session& session, const BackupSubject& of, const BackupTarget& target, const std::string& id);
// Fills a transfer with it.
void fetch_backup(Session& session, const Transfer& transfer, const BackupView& view, int cancel_fd);

// Makes an app of it again, under its own or another name.
ImportedApp restore_backup(Session& session, const BackupView& view, const std::optional<AppName>& to, Journal& journal,
                           int cancel_fd);

// The app as it was then, in the place of the app as it is: code, settings, /data and databases; domains and scale
// stay. All or nothing. The app as it is, is backed up to the same target first. Returns whether it is live.
struct RestoredInPlace {
  MadeBackup aside;
  Outcome outcome;
};
RestoredInPlace restore_in_place(Session& session, const BackupView& view, Journal& journal, int cancel_fd);

// Reads it back, checks the repository and all databases in it; throws what is wrong.
struct VerifiedBackup {
  std::uint64_t bytes = 0;
  VerifiedArchive archive{};
};
VerifiedBackup verify_backup(Session& session, const BackupView& view);

std::size_t prune_target(Session& session, const BackupSubject& of, const BackupTarget& target,
                         const BackupRetention& retention);

// --- schedules
struct ScheduleView {
  BackupSchedule schedule;
  std::optional<WallTime> next;
};
Json to_json(const ScheduleView& view);
std::vector<ScheduleView> list_schedules(Session& session);
void set_schedule(Session& session, const BackupSchedule& schedule);
void remove_schedule(Session& session, const BackupSubject& of);

// --- an empty machine
struct RestoredPlatform {
  WallTime made;
  std::vector<std::string> apps, services;  // that were there, and are to be restored
};
// Into a root without apps: settings, keys, targets and schedules of the newest backup at this URL.
RestoredPlatform restore_platform(Session& session, const std::string& url, const std::string& credentials);
// Once its apps are there: keys that are for some of them.
void restore_keys(Session& session, const BackupTarget& target);

}  // namespace pushrod
