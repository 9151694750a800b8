// Dumps, out and in.
#include "services/dumps.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "os/attached.hh"
#include "os/exchange.hh"
#include "os/files.hh"
#include "os/trash.hh"

namespace pushrod {

namespace {

Server running_server(const ServicePlatform& platform, const BackingService& service) {
  auto server = server_of(platform, service);
  if (service.state != ServiceState::Running || !type_of(service).answers(server)) {
    throw UserError(fmt::format("service {} does not run", service.name.str()),
                    fmt::format("start it first: service start {}", service.name.str()));
  }
  return server;
}

void change_places(const fs::path& one, const fs::path& other) {
  if (exchange_paths(one, other)) return;
  throw Error("the file system of " + one.native() + " cannot exchange two directories", "use ext4, XFS or Btrfs");
}

// The two directories change places in one step, so at every moment there is one whole data directory.
void replace_data(const Server& server, int input) {
  const auto& [platform, service, installed, password] = server;
  const auto data = platform.layout.service_data(service.name);
  const auto fresh = platform.layout.backing_service(service.name) / "data.new";
  remove_tree(fresh);
  make_directory(fresh);
  try {
    type_of(service).read_dump(server, input, fresh);
    flush_file_system(fresh);
  } catch (const std::exception&) {
    remove_tree(fresh);
    throw;
  }
  stop_service(platform, service);
  try {
    change_places(fresh, data);
    try {
      start_service(platform, service);
    } catch (const std::exception&) {
      stop_service(platform, service);
      change_places(fresh, data);
      throw;
    }
  } catch (const std::exception&) {
    start_service(platform, service);
    remove_tree(fresh);
    throw;
  }
  move_to_trash(platform.layout.trash(), fresh);
}

}  // namespace

std::string choose_database(const Server& server, const std::string& database) {
  const auto& type = type_of(server.service);
  if (!type.has_databases()) {
    if (!database.empty()) throw UserError(fmt::format("{} has no databases to choose from", type.description()));
    return {};
  }
  const auto all = type.databases(server);
  if (database.empty() && all.size() == 1) return all.front();
  if (std::ranges::find(all, database) != all.end()) return database;
  const auto& name = server.service.name.str();
  if (all.empty()) throw UserError(fmt::format("service {} has no databases yet", name), "attach an app first");
  throw UserError(database.empty() ? fmt::format("service {} has several databases", name)
                                   : fmt::format("service {} has no database {}", name, quoted(database)),
                  "choose one with --database: " + join(all, ", "));
}

void dump_service(const ServicePlatform& platform, const BackingService& service, const std::string& database,
                  int output) {
  const auto server = running_server(platform, service);
  const auto client = type_of(service).dump(server, choose_database(server, database));
  const auto command = platform.engine.tool({service.name, client.argv, client.environment});
  Attachment attachment;
  attachment.kind = Attachment::Kind::Direct;
  attachment.in = -1;
  attachment.out = output;
  const auto result = run_attached(command, attachment);
  if (!result.ok()) {
    throw Error(fmt::format("the dump of service {} is not complete: {} ended with {}", service.name.str(),
                            fs::path(client.argv.front()).filename().native(), result.describe()),
                "do not use what was written");
  }
}

void restore_service(const ServicePlatform& platform, const BackingService& service, const std::string& database,
                     int input) {
  const auto server = running_server(platform, service);
  const auto& type = type_of(service);
  const auto chosen = choose_database(server, database);
  if (type.restores_into_directory()) {
    replace_data(server, input);
  } else {
    type.restore(server, chosen, input);
  }
}

}  // namespace pushrod
