#include "deploy/service_archive.hh"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/app_databases.hh"
#include "deploy/trash.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

using nlohmann::json;

constexpr const char* kFormat = "pushrod service";
constexpr unsigned kVersion = 2;  // with limits of disk and processors; without them 1, which older programs read
constexpr const char* kDescription = "pushrod-service.json";
constexpr std::size_t kLargestDescription = std::size_t{1} << 20;

// Names of databases come from their users.
std::string dump_file(std::size_t number) { return fmt::format("services/{}.dump", number); }

UserError damaged(const std::string& why) {
  return UserError(fmt::format("the backup is damaged: {}: {}", kDescription, escaped(why)),
                   "restore an older one: backup list");
}

std::string parse_database(const std::string& name) {
  constexpr std::size_t kLongest = 64;
  const auto is_unfit = [](unsigned char c) { return c < 0x20 || c == 0x7f || c == '\'' || c == '"' || c == '\\'; };
  if (name.size() > kLongest || std::ranges::any_of(name, is_unfit)) throw damaged("a name of a database");
  return name;
}

ArchivedServer archive_from(const json& object, const Transfer& transfer) {
  ArchivedServer archive{.name = ServiceName::parse(object.at("service").get<std::string>()).str(),
                         .type = object.at("type").get<std::string>(),
                         .version = object.at("server").get<std::string>(),
                         .memory = object.at("memory").get<std::uint64_t>(),
                         .disk = object.value("disk", std::uint64_t{0}),
                         .cpu_percent = object.value("cpu_percent", 0U)};
  archive.made = from_epoch_milliseconds(object.at("made_ms").get<std::int64_t>());
  const bool has_databases = require_service_type(archive.type).has_databases();
  std::size_t number = 0;
  for (const auto& one : object.at("databases")) {
    const auto name = parse_database(one.get<std::string>());
    const auto file = transfer.files() / dump_file(++number);
    if (name.empty() == has_databases || !archive.dumps.emplace(name, file).second) throw damaged("its databases");
    if (!is_directory(file.parent_path()) || !is_plain_file(file)) throw damaged("no " + dump_file(number));
  }
  if (!has_databases && archive.dumps.size() != 1) throw damaged("its databases");
  return archive;
}

}  // namespace

PackList prepare_service_archive(const Platform& platform, const Transfer& transfer, const ServiceName& name) {
  const auto service = platform.store.service(name);
  if (!service)
    throw UserError(fmt::format("service {} does not exist", quoted(name.str())), "list all: pushrod service list");
  if (!type_of(*service).keeps_data()) {
    throw UserError(fmt::format("{} keeps nothing: service {} has nothing to back up", type_of(*service).description(),
                                name.str()));
  }
  const auto server = running_server(platform.services(), *service);
  PackList list;
  list.files.emplace_back(kDescription);
  auto databases = json::array();
  for (const auto& database : all_databases(server)) {
    databases.push_back(database);
    list.files.push_back(dump_file(databases.size()));
    dump_database(platform, *service, database, transfer.files() / list.files.back());
  }
  const bool is_limited = service->disk != 0 || service->cpu_percent != 0;
  json description{{"format", kFormat},          {"version", is_limited ? kVersion : 1},
                   {"service", name.str()},      {"type", service->type},
                   {"server", service->version}, {"memory", service->memory},
                   {"databases", databases},     {"made_ms", to_epoch_milliseconds(now())}};
  if (service->disk != 0) description["disk"] = service->disk;
  if (service->cpu_percent != 0) description["cpu_percent"] = service->cpu_percent;
  write_file(transfer.files() / kDescription, description.dump(2) + "\n", 0600, false);
  return list;
}

ArchivedServer read_service_archive(const Transfer& transfer) {
  const auto file = transfer.files() / kDescription;
  const auto text = is_plain_file(file) ? read_file(file, kLargestDescription, false) : std::nullopt;
  const auto object = json::parse(text.value_or(""), nullptr, false);
  const auto version = object.is_object() ? object.value("version", json()) : json();
  if (!version.is_number_unsigned() || version == 0U || version > kVersion ||
      object.value("format", json()) != kFormat) {
    throw UserError("the backup of the service cannot be read by this Pushrod", "use a newer Pushrod");
  }
  try {
    return archive_from(object, transfer);
  } catch (const json::exception& error) {
    throw damaged(error.what());
  }
}

std::size_t verify_service_archive(const Platform& platform, const Transfer& transfer) {
  const auto archive = read_service_archive(transfer);
  for (const auto& [database, file] : archive.dumps) {
    try {
      try_dump(platform.services(), archive.type, archive.version, open_file(file, O_RDONLY | O_NOFOLLOW).get());
    } catch (const Error& error) {
      throw UserError(fmt::format("the dump {}cannot be restored: {}",
                                  database.empty() ? "" : fmt::format("of database {} ", database), error.message()),
                      error.hint());
    }
  }
  empty_trash(platform.layout);
  return archive.dumps.size();
}

BackingService create_from_archive(const Platform& platform, const ArchivedServer& archive, const ServiceName& name) {
  const auto services = platform.services();
  const auto lock = lock_service(services, name, "the creation");
  const auto made = make_service(services, {.name = name,
                                            .type = archive.type,
                                            .version = version_like(archive.type, archive.version),
                                            .memory = archive.memory,
                                            .disk = archive.disk,
                                            .cpu_percent = archive.cpu_percent});
  try {
    read_dumps(server_of(services, made), archive.dumps, {});
  } catch (const std::exception&) {
    destroy_service(services, made);
    throw;
  }
  platform.store.set_service_state(made.id, ServiceState::Running);
  return platform.store.service(made.id).value();
}

}  // namespace pushrod
