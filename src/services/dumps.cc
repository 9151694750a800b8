// Dumps, out and in.
#include "services/dumps.hh"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "os/attached.hh"
#include "os/exchange.hh"
#include "os/files.hh"
#include "os/trash.hh"
#include "services/piped_tool.hh"
#include "services/scratch_service.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kLook{250};

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

Error incomplete(const BackingService& service, const ServiceClient& client, const std::string& why) {
  return Error(fmt::format("the dump of service {} is not complete: {}: {}", service.name.str(),
                           fs::path(client.argv.front()).filename().native(), why),
               "do not use what was written");
}

void load(const Server& server, const std::string& database, int input) {
  const auto& type = type_of(server.service);
  if (type.restores_into_directory()) {
    replace_data(server, input);
  } else {
    type.restore(server, database, input);
  }
}

void write_dump(const Server& server, const std::string& database, int out, const std::function<void()>& look) {
  const auto client = type_of(server.service).dump(server, database);
  const auto complaints = file_for_complaints(server);
  auto program = ChildProcess::start(
      server.platform.engine.tool({server.service.name, client.argv, client.environment}), -1, out, complaints.get());
  std::optional<CommandResult> result;
  while (!result) {
    if (look) look();
    result = program.wait(kLook);
  }
  const auto why = first_complaint(complaints);
  if (!result->ok()) throw incomplete(server.service, client, why.empty() ? result->describe() : why);
}

}  // namespace

Server running_server(const ServicePlatform& platform, const BackingService& service) {
  auto server = server_of(platform, service);
  if (service.state != ServiceState::Running || !type_of(service).answers(server)) {
    throw UserError(fmt::format("service {} does not run", service.name.str()),
                    fmt::format("start it first: service start {}", service.name.str()));
  }
  return server;
}

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
    throw incomplete(service, client, result.describe());
  }
}

void restore_service(const ServicePlatform& platform, const BackingService& service, const std::string& database,
                     int input) {
  const auto server = running_server(platform, service);
  load(server, choose_database(server, database), input);
}

void dump_to_file(const ServicePlatform& platform, const BackingService& service, const std::string& database,
                  const fs::path& file, const std::function<void()>& look) {
  const auto server = running_server(platform, service);
  const auto out = open_file(file, O_WRONLY | O_CREAT | O_EXCL);
  write_dump(server, choose_database(server, database), out.get(), look);
}

void try_dump(const ServicePlatform& platform, const std::string& type, const std::string& version, int input) {
  const ScratchService scratch(
      platform, {.name = ServiceName::parse("scratch"), .type = type, .version = version_like(type, version)},
      "a check of a dump");
  const auto server = scratch.server();
  const std::string database = type_of(server.service).has_databases() ? "scratch" : "";
  type_of(server.service).open_account(server, {"scratch", database, random_password()});
  load(server, database, input);
  write_dump(server, database, -1, {});
}

std::vector<std::string> all_databases(const Server& server) {
  const auto& type = type_of(server.service);
  if (!type.keeps_data()) return {};
  return type.has_databases() ? type.databases(server) : std::vector<std::string>{""};
}

void read_dumps(const Server& server, const DumpFiles& dumps, const std::vector<ServiceAttachment>& attachments) {
  const auto& type = type_of(server.service);
  for (const auto& [database, file] : dumps) {
    std::vector<std::string> roles;
    for (const auto& attachment : attachments) {
      if (attachment.database == database && attachment.state == AttachmentState::Attached)
        roles.push_back(attachment.role);
    }
    if (!database.empty()) type.make_database(server, database, roles);
    load(server, database, open_file(file, O_RDONLY | O_NOFOLLOW).get());
  }
}

void copy_databases(const Server& from, const Server& to) {
  const auto& type = type_of(from.service);
  for (const auto& database : all_databases(from)) {
    if (!database.empty()) type.make_database(to, database, {});
    PipedTool dump(from, type.dump(from, database));
    load(to, database, dump.output());
    dump.check();
  }
}

std::string version_like(const std::string& type, const std::string& version) {
  const auto installed = require_service_type(type).installed();
  return std::ranges::find(installed, version, &InstalledServer::version) == installed.end() ? "" : version;
}

}  // namespace pushrod
