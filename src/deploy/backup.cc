// Backups with restic.
#include "deploy/backup.hh"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "archive/complaints.hh"
#include "archive/packer.hh"
#include "base/error.hh"
#include "base/text.hh"
#include "deploy/export.hh"
#include "deploy/platform_archive.hh"
#include "deploy/service_archive.hh"
#include "os/file_lock.hh"
#include "os/files.hh"
#include "services/services.hh"

namespace pushrod {

namespace {

constexpr const char* kMember = "archive.tar";
constexpr std::chrono::hours kDeadline{24 * 7};

std::string tag_of(const BackupSubject& of) {
  if (of.is_platform()) return "platform";
  return (of.is_service() ? "service=" : "app=") + of.name;
}

// The other way round.
BackupSubject subject_of(const Snapshot& snapshot) {
  for (const auto kind : {BackupSubject::Kind::App, BackupSubject::Kind::Service}) {
    const auto found = snapshot.tags.find(kind == BackupSubject::Kind::App ? "app" : "service");
    if (found != snapshot.tags.end()) return {kind, found->second};
  }
  return {};
}

FileLock lock_target(const Layout& layout, const std::string& target) {
  auto lock = FileLock::try_acquire(layout.backup_lock(target));
  if (!lock) {
    throw UserError(fmt::format("another backup to {} is in progress", target),
                    "wait until it has ended, and try again");
  }
  lock->announce("a backup to " + target);
  return std::move(*lock);
}

// Of runs that failed or were killed.
void forget_unchecked(const ResticRepository& repository) {
  std::vector<std::string> words{"forget"};
  for (const auto& snapshot : snapshots(repository, {"pushrod"})) {
    if (!snapshot.tags.contains("checked")) words.push_back(snapshot.id);
  }
  if (words.size() > 1) run_restic(repository, words);
}

void write_snapshot(const Platform& platform, const Transfer& transfer, const ResticRepository& repository,
                    const PackList& list, const std::string& tag) {
  const auto log = open_complaints(transfer);
  auto pipe = make_pipe();
  Packer packer(platform.layout, transfer, list, pipe.write_end.get());
  auto restic = ChildProcess::start(
      restic_command(repository, {"backup", "--stdin", "--stdin-filename", kMember, "--host", "pushrod", "--tag",
                                  fmt::format("pushrod,{},run={}", tag, transfer.name())}),
      pipe.read_end.get(), -1, log.get());
  pipe.read_end.reset();
  pipe.write_end.reset();
  const auto result = restic.wait(kDeadline).value();
  // Of the two, the one that failed first is the reason.
  if (!result.ok()) throw restic_failed("the backup could not be written", result, read_complaints(log));
  packer.finish();
}

Snapshot find_run(const ResticRepository& repository, const Transfer& transfer) {
  const auto found = snapshots(repository, {"pushrod", "run=" + transfer.name()});
  if (found.empty()) throw Error("restic does not list the backup that it has written");
  return found.back();
}

PackList gather(const Platform& platform, const Transfer& transfer, const BackupSubject& of, MadeBackup& made) {
  if (of.is_platform()) return prepare_platform_archive(platform, transfer);
  if (of.is_service()) return prepare_service_archive(platform, transfer, ServiceName::parse(of.name));
  auto prepared = prepare_export(platform, transfer, AppName::parse(of.name), {});
  made.notes = std::move(prepared.notes);
  return std::move(prepared.list);
}

MadeBackup write_and_check(const Platform& platform, const ResticRepository& repository, const BackupSubject& of) {
  MadeBackup made;
  const Transfer transfer(platform.layout);
  const auto list = gather(platform, transfer, of, made);
  remove_stale_locks(repository);
  forget_unchecked(repository);
  write_snapshot(platform, transfer, repository, list, tag_of(of));
  const auto snapshot = find_run(repository, transfer);
  BackupReader reader(transfer, repository, snapshot.id);
  made.bytes = check_stream(platform.layout, reader.fd());
  reader.finish();
  run_restic(repository, {"tag", "--add", "checked", snapshot.id});
  made.snapshot = find_run(repository, transfer).id;
  return made;
}

std::size_t forget_old(const ResticRepository& repository, const BackupSubject& of, const BackupRetention& retention) {
  const auto kept = kept_backups(repository, of);
  std::vector<std::string> words{"forget", "--prune"};
  for (std::size_t at = 0; at + retention.count < kept.size(); ++at) {
    if (kept[at].time + retention.age < now()) words.push_back(kept[at].snapshot);
  }
  const auto count = words.size() - 2;
  if (count > 0) run_restic(repository, words);
  return count;
}

}  // namespace

std::string credentials_to_json(const ResticRepository& repository) {
  nlohmann::json variables = nlohmann::json::object();
  for (const auto& [name, value] : repository.variables) variables[name] = value.reveal();
  return nlohmann::json{{"password", repository.password.reveal()}, {"variables", variables}}.dump();
}

ResticRepository repository_from(const Layout& layout, const std::string& url, const std::string& credentials) {
  const auto object = nlohmann::json::parse(credentials);
  ResticRepository repository{url, Secret(object.at("password").get<std::string>()), {}, layout.backup_cache()};
  for (const auto& [name, value] : object.at("variables").items()) {
    repository.variables.emplace(name, Secret(value.get<std::string>()));
  }
  return repository;
}

ResticRepository repository_of(const Platform& platform, const BackupTarget& target) {
  const auto credentials = platform.store.vault().open_target(target.name, target.sealed);
  return repository_from(platform.layout, target.url, credentials.reveal());
}

void check_target_url(const Layout& layout, const std::string& url) {
  if (url.empty() || !is_valid_utf8(url))
    throw UserError("the target needs a URL", "for example /backup, sftp:user@host:/backup, s3:https://host/bucket");
  if (url.find(':') != url.npos) return;
  if (url.front() != '/') {
    throw UserError(fmt::format("the directory {} does not begin with a slash", quoted(url)),
                    "write it from the root: /backup");
  }
  const auto path = fs::weakly_canonical(url).string() + "/";
  if (path.starts_with(layout.root().string() + "/")) {
    throw UserError(fmt::format("{} lies in Pushrod's own directory, and would be lost together with it", quoted(url)),
                    "choose a directory on another disk, or another machine");
  }
}

MadeBackup make_backup(const Platform& platform, const BackupTarget& target, const BackupSubject& of,
                       const std::optional<BackupRetention>& retention, const std::function<void()>& before) {
  const auto lock = lock_target(platform.layout, target.name);
  const auto run = platform.store.begin_backup(of, target.name);
  try {
    before();
    const auto repository = repository_of(platform, target);
    auto made = write_and_check(platform, repository, of);
    platform.store.end_backup(run, made.bytes, {});
    if (retention) forget_old(repository, of, *retention);
    return made;
  } catch (const Error& error) {
    platform.store.end_backup(run, 0, error.message());
    throw;
  }
}

std::vector<KeptBackup> kept_backups(const ResticRepository& repository, const std::optional<BackupSubject>& of) {
  std::vector<std::string> tags{"pushrod", "checked"};
  if (of) tags.push_back(tag_of(*of));
  std::vector<KeptBackup> kept;
  for (const auto& snapshot : snapshots(repository, tags)) {
    kept.push_back({snapshot.id, subject_of(snapshot), snapshot.time});
  }
  return kept;
}

std::size_t prune_backups(const Platform& platform, const BackupTarget& target, const BackupSubject& of,
                          const BackupRetention& retention) {
  const auto lock = lock_target(platform.layout, target.name);
  const auto repository = repository_of(platform, target);
  remove_stale_locks(repository);
  forget_unchecked(repository);
  return forget_old(repository, of, retention);
}

BackupReader::BackupReader(const Transfer& transfer, const ResticRepository& repository, const std::string& snapshot)
    : log_(open_complaints(transfer)),
      pipe_(make_pipe()),
      restic_(ChildProcess::start(restic_command(repository, {"--no-lock", "dump", snapshot, kMember}), -1,
                                  pipe_.write_end.get(), log_.get())) {
  pipe_.write_end.reset();
}

void BackupReader::finish() {
  pipe_.read_end.reset();
  const auto result = restic_.wait(kDeadline).value();
  if (!result.ok()) throw restic_failed("the backup could not be read back", result, read_complaints(log_));
}

bool is_part_of_all(const Store& store, const BackupSubject& of) {
  if (!of.is_service()) return true;
  const auto service = store.service(ServiceName::parse(of.name));
  return service && store.attachments_to(service->id).empty();
}

std::vector<BackingService> services_by_themselves(const Store& store) {
  auto services = store.services();
  std::erase_if(services, [&](const BackingService& service) {
    const bool is_there = service.state == ServiceState::Running || service.state == ServiceState::Stopped;
    return !is_there || !type_of(service).keeps_data() || !store.attachments_to(service.id).empty();
  });
  return services;
}

std::optional<BackupSchedule> schedule_of(const Store& store, const BackupSubject& of) {
  std::optional<BackupSchedule> of_all;
  for (auto& schedule : store.backup_schedules()) {
    if (schedule.of == of) return std::move(schedule);
    if (schedule.of.is_platform()) of_all = std::move(schedule);
  }
  return is_part_of_all(store, of) ? of_all : std::nullopt;
}

}  // namespace pushrod
