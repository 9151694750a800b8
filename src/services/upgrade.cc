#include "services/upgrade.hh"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "os/disk_use.hh"
#include "os/exchange.hh"
#include "os/files.hh"
#include "os/trash.hh"
#include "services/scratch_service.hh"

namespace pushrod {

namespace {

constexpr const char* kMark = "upgrade.mark";

fs::path next_data(const ServicePlatform& platform, const BackingService& service) {
  return platform.layout.backing_service(service.name) / "data.next";
}

fs::path former_data(const ServicePlatform& platform, const BackingService& service) {
  return platform.layout.backing_service(service.name) / "data.old";
}

bool is_installed(const BackingService& service) {
  const auto all = type_of(service).installed();
  return std::ranges::find(all, service.version, &InstalledServer::version) != all.end();
}

void discard(const ServicePlatform& platform, const fs::path& directory) {
  if (is_directory(directory)) move_to_trash(platform.layout.trash(), directory);
}

void copy_directory(const fs::path& from, const fs::path& to) {
  Command copy;
  copy.argv = {"cp", "-a", "--reflink=auto", "--", from.native() + "/.", to.native()};
  copy.deadline = std::chrono::hours{24};
  run_checked(copy);
}

void check_room(const ServicePlatform& platform, const BackingService& service) {
  const auto needed = measure_disk_use(platform.layout.service_data(service.name)).bytes;
  const auto least = platform.settings.free_space;
  if (free_bytes(platform.layout.root()) >= needed + least) return;
  throw UserError(fmt::format("not enough disk space: service {} takes {}, which is needed twice, and {} "
                              "must stay free ([retention] free_space)",
                              service.name.str(), format_bytes(needed), format_bytes(least)),
                  "make room: pushrod prune, or service forget for services that were upgraded before");
}

// A server beside the one of the service, with the same password.
NewService beside(const ServicePlatform& platform, const BackingService& service, const std::string& version) {
  NewService request{.name = service.name, .type = service.type, .version = version, .memory = service.memory};
  request.password = platform.store.vault().open_service_password(service.name, service.sealed_password);
  return request;
}

// The data of the server becomes data.next.
void take_data(const ServicePlatform& platform, const BackingService& service, const ScratchService& beside,
               const std::string& mark) {
  stop_service(platform, beside.service());
  const auto made = platform.layout.service_data(beside.service().name);
  write_file(made / kMark, mark);
  flush_file_system(made);
  discard(platform, next_data(platform, service));
  rename_path(made, next_data(platform, service));
}

// Fills data.next with what the service holds, by a server of the version beside the old one. `more` changes it.
void make_next_data(const ServicePlatform& platform, const BackingService& service, const std::string& version,
                    const std::string& mark, const UpgradeCalls& calls,
                    const std::function<void(const Server&)>& more) {
  const auto& type = type_of(service);
  auto request = beside(platform, service, version);
  if (type.takes_data_over()) {
    stop_service(platform, service);
    calls.tell("Copying the data.");
    request.fill = [&](const fs::path& fresh) { copy_directory(platform.layout.service_data(service.name), fresh); };
  }
  const ScratchService next(platform, request, "a change of service " + service.name.str());
  if (!type.takes_data_over()) {
    type.admit_apps(server_of(platform, service), false);
    calls.tell("Copying all databases and accounts to the new server.");
    type.copy_all(server_of(platform, service), next.server());
  }
  more(next.server());
  take_data(platform, service, next, mark);
}

// The same with a dump alone, where a dump is all that a server holds but for its accounts.
void make_data_from_dump(const ServicePlatform& platform, const BackingService& service, const fs::path& dump,
                         const std::string& mark) {
  auto request = beside(platform, service, service.version);
  request.fill = [&](const fs::path& fresh) {
    type_of(service).read_dump(server_of(platform, service), open_file(dump, O_RDONLY | O_NOFOLLOW).get(), fresh);
  };
  take_data(platform, service, ScratchService(platform, request, "a restore of service " + service.name.str()), mark);
}

// The data directory may come from a server that was shut to them.
void admit_apps(const ServicePlatform& platform, const BackingService& service) {
  if (!type_of(service).takes_data_over() && is_installed(service)) {
    type_of(service).admit_apps(server_of(platform, service), true);
  }
}

// After the exchange.
BackingService finish(const ServicePlatform& platform, const BackingService& service, const std::string& version) {
  if (const auto next = next_data(platform, service); is_directory(next)) {
    discard(platform, former_data(platform, service));
    rename_path(next, former_data(platform, service));
  }
  platform.store.set_service_versions(service.id, version, service.version);
  auto finished = platform.store.service(service.id).value();
  admit_apps(platform, finished);
  return finished;
}

// Before the exchange, or after it was reversed.
BackingService undo(const ServicePlatform& platform, const BackingService& service) {
  const auto next = next_data(platform, service);
  if (is_directory(next) && !service.former_version.empty() && !is_directory(former_data(platform, service))) {
    rename_path(next, former_data(platform, service));  // on the way back
  }
  discard(platform, next);
  admit_apps(platform, service);
  platform.store.set_service_upgrade(service.id, "");
  return platform.store.service(service.id).value();
}

void start_wanted(const ServicePlatform& platform, const BackingService& service) {
  if (service.state == ServiceState::Running && is_installed(service)) start_service(platform, service);
}

void exchange(const ServicePlatform& platform, const BackingService& service) {
  const auto data = platform.layout.service_data(service.name);
  if (exchange_paths(next_data(platform, service), data)) return;
  throw Error("the file system of " + data.native() + " cannot exchange two directories", "use ext4, XFS or Btrfs");
}

void change_over(const ServicePlatform& platform, const BackingService& service, const std::string& version,
                 const UpgradeCalls& calls, const std::function<void(const std::string& mark)>& prepare) {
  const auto mark = fmt::format("{} {}", version, random_password().reveal().substr(0, 16));
  platform.store.set_service_upgrade(service.id, mark);
  bool exchanged = false;
  try {
    calls.traffic_changed();
    prepare(mark);
    stop_service(platform, service);
    exchange(platform, service);
    exchanged = true;
    auto upgraded = service;
    upgraded.version = version;
    admit_apps(platform, upgraded);
    start_wanted(platform, upgraded);
    finish(platform, service, version);
  } catch (const std::exception&) {
    if (exchanged) {
      stop_service(platform, service);
      exchange(platform, service);
    }
    start_wanted(platform, undo(platform, service));
    calls.traffic_changed();
    throw;
  }
  calls.traffic_changed();
}

}  // namespace

void upgrade_service(const ServicePlatform& platform, const BackingService& service, const std::string& version,
                     const UpgradeCalls& calls) {
  const auto& type = type_of(service);
  const auto to = require_server(type, version).version;
  if (type.takes_data_over() && to == service.version) {
    throw UserError(fmt::format("service {} is {} {} already", service.name.str(), type.description(), to));
  }
  if (!type.takes_data_over()) running_server(platform, service);
  check_room(platform, service);
  change_over(platform, service, to, calls, [&](const std::string& mark) {
    make_next_data(platform, service, to, mark, calls, [&](const Server& next) {
      if (type.takes_data_over()) type.finish_takeover(next);
    });
  });
}

void restore_content(const ServicePlatform& platform, const BackingService& service, const DumpFiles& dumps,
                     const UpgradeCalls& calls) {
  running_server(platform, service);
  check_room(platform, service);
  change_over(platform, service, service.version, calls, [&](const std::string& mark) {
    if (type_of(service).restores_into_directory()) {
      make_data_from_dump(platform, service, dumps.at(""), mark);
      return;
    }
    make_next_data(platform, service, service.version, mark, calls, [&](const Server& next) {
      calls.tell("Reading the backup.");
      read_dumps(next, dumps, platform.store.attachments_to(service.id));
    });
  });
}

void go_back(const ServicePlatform& platform, const BackingService& service, const UpgradeCalls& calls) {
  const auto former = former_data(platform, service);
  if (service.former_version.empty() || !is_directory(former)) {
    throw UserError(fmt::format("no older data of service {} is kept", service.name.str()),
                    "it is kept from an upgrade until `service forget`");
  }
  require_server(type_of(service), service.former_version);
  change_over(platform, service, service.former_version, calls, [&](const std::string& mark) {
    stop_service(platform, service);
    write_file(former / kMark, mark);
    rename_path(former, next_data(platform, service));
  });
}

void forget_former(const ServicePlatform& platform, const BackingService& service) {
  if (service.former_version.empty()) {
    throw UserError(fmt::format("no older data of service {} is kept", service.name.str()));
  }
  // First the row: what a killed process leaves is discarded by the next upgrade, and never taken for data to go back
  // to.
  platform.store.set_service_versions(service.id, service.version, "");
  discard(platform, former_data(platform, service));
}

BackingService settle_upgrade(const ServicePlatform& platform, const BackingService& service) {
  if (service.upgrade.empty()) return service;
  const auto mark = read_file(platform.layout.service_data(service.name) / kMark);
  if (mark == service.upgrade) return finish(platform, service, mark->substr(0, mark->find(' ')));
  return undo(platform, service);
}

}  // namespace pushrod
