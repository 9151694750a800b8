#include "operate/service_backups.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"

namespace pushrod {

ArchivedServer show_service_backup(Session& session, const BackupView& view) {
  const Transfer transfer(session.layout());
  fetch_backup(session, transfer, view, -1);
  return read_service_archive(transfer);
}

Json to_json(const ArchivedServer& archive) {
  auto databases = Json::array();
  for (const auto& [database, file] : archive.dumps) {
    if (!database.empty()) databases.push_back(database);
  }
  return {{"service", archive.name},
          {"type", archive.type},
          {"version", archive.version},
          {"memory_limit", archive.memory},
          {"disk_limit", archive.disk == 0 ? Json(nullptr) : Json(archive.disk)},
          {"cpu_limit", archive.cpu_percent == 0 ? Json(nullptr) : Json(archive.cpu_percent / 100.0)},
          {"databases", std::move(databases)},
          {"made", iso_time(archive.made)}};
}

RestoredService restore_service_backup(Session& session, const BackupView& view, const std::optional<ServiceName>& to,
                                       const Tell& tell, int cancel_fd) {
  session.require_admin();
  begin_to_read(session);
  const auto name = to.value_or(ServiceName::parse(view.backup.of.name));
  const auto there = session.store().service(name);
  if (to && there) throw UserError(fmt::format("a service named {} already exists", name.str()), "choose another name");
  const Transfer transfer(session.layout());
  fetch_backup(session, transfer, view, cancel_fd);
  const auto archive = read_service_archive(transfer);
  if (there) {
    if (there->type != archive.type) {
      throw UserError(
          fmt::format("service {} is a {}, and the backup is of a {}", name.str(), there->type, archive.type),
          fmt::format("restore it under another name: backup restore {} NEW", view.backup.of.name));
    }
    return {restore_content(session, name, archive.dumps, tell), true};
  }
  std::optional<BackingService> made;
  const auto detail = fmt::format("{} of {} from {}", view.backup.snapshot, shown(view.backup.of), view.target);
  audited(session, {"", "backup restore", detail},
          [&] { made = create_from_archive(session.platform(), archive, name); });
  return {*made, false};
}

}  // namespace pushrod
