// The table of types, and what they share.
#include "services/service_type.hh"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>

#include "base/error.hh"
#include "base/text.hh"
#include "os/command.hh"
#include "os/file_lock.hh"
#include "os/files.hh"
#include "services/piped_tool.hh"

namespace pushrod {

const std::vector<const ServiceType*>& service_types() {
  static const std::vector<const ServiceType*> kTypes{&postgres_type(), &mariadb_type(), &redis_type(),
                                                      &memcached_type()};
  return kTypes;
}

void ServiceType::restore(const Server&, const std::string&, int) const {
  throw Error(fmt::format("{} restores into a directory", description()));
}

void ServiceType::read_dump(const Server&, int, const fs::path&) const {
  throw Error(fmt::format("{} restores into a database", description()));
}

void ServiceType::copy_all(const Server&, const Server&) const {
  throw Error(fmt::format("{} takes the data of another version over", description()));
}

const ServiceType& require_service_type(const std::string& name) {
  std::vector<std::string> known;
  for (const auto* type : service_types()) {
    if (type->name() == name) return *type;
    known.emplace_back(type->name());
  }
  throw UserError(fmt::format("there is no type of service {}", quoted(name)), "use one of: " + join(known, ", "));
}

std::uint64_t disk_limit(const Settings& settings, const BackingService& service) {
  if (!require_service_type(service.type).keeps_data()) return 0;
  return service.disk != 0 ? service.disk : settings.service_disk;
}

std::string install_command(const ServiceType& type, const std::string& version) {
  // A masked unit is not started, neither by the installation nor at the next boot.
  return fmt::format("sudo sh -c 'systemctl mask {}; apt-get install -y {}'", type.unit(), type.package(version));
}

InstalledServer require_server(const ServiceType& type, const std::string& version) {
  auto servers = type.installed();
  if (version.empty() && !servers.empty()) return servers.front();
  // "8" is "valkey-8" as well.
  const auto found = std::ranges::find_if(servers, [&](const InstalledServer& server) {
    return server.version == version || server.version.ends_with("-" + version);
  });
  if (found != servers.end()) return *found;
  std::vector<std::string> known;
  for (const auto& server : servers) known.push_back(server.version);
  const auto what = version.empty() ? std::string(type.description())
                                    : fmt::format("{} {}", std::string(type.description()), version);
  throw UserError(fmt::format("{} is not installed: it is in the package {}{}", what, type.package(version),
                              known.empty() ? "" : fmt::format(" (installed: {})", join(known, ", "))),
                  "install it without starting Debian's own server: " + install_command(type, version));
}

namespace {

Error failed(const Server& server, const ServiceClient& client, const CommandResult& result, const std::string& why) {
  return Error(fmt::format("{} of service {} failed ({}): {}", fs::path(client.argv.front()).filename().native(),
                           server.service.name.str(), result.describe(), why),
               fmt::format("its log may say more: service logs {}", server.service.name.str()));
}

// A server that cannot write its log of changes ends, and does not start again before there is room.
void check_room(const Server& server) {
  const auto least = server.platform.settings.free_space;
  if (free_bytes(server.platform.layout.root()) >= least) return;
  throw UserError(fmt::format("not enough disk space for the data of service {}: {} must stay free ([retention] "
                              "free_space)",
                              server.service.name.str(), format_bytes(least)),
                  "make room (pushrod prune), or ask the administrator for space");
}

}  // namespace

std::string run_service_tool(const Server& server, const ServiceClient& client, const std::string& input,
                             const std::optional<fs::path>& data) {
  auto command = server.platform.engine.tool({server.service.name, client.argv, client.environment, data});
  command.input = input;
  command.deadline = std::chrono::minutes{5};
  const auto result = run(command);
  if (result.ok()) return result.out;
  auto lines = lines_of(result.err.empty() ? result.out : result.err);
  if (lines.size() > 5) lines.erase(lines.begin(), lines.end() - 5);
  throw failed(server, client, result, escaped(join(lines, "; ")));
}

void feed_service_tool(const Server& server, const ServiceClient& client, int input,
                       const std::optional<fs::path>& data) {
  constexpr Milliseconds kLook{100};  // no event tells when the disk fills
  const auto complaints = file_for_complaints(server);
  auto program =
      ChildProcess::start(server.platform.engine.tool({server.service.name, client.argv, client.environment, data}),
                          input, -1, complaints.get());
  std::optional<CommandResult> result;
  while (!result) {
    check_room(server);  // the program ends with it
    result = program.wait(kLook);
  }
  check_room(server);  // it may have filled the disk since the last look
  if (!result->ok()) throw failed(server, client, *result, first_complaint(complaints));
}

void copy_template(const Server& server, const fs::path& data, const std::function<void(const fs::path&)>& make) {
  const auto& layout = server.platform.layout;
  const auto made = layout.service_templates() / fmt::format("{}-{}", server.service.type, server.installed.version);
  make_directory(layout.service_templates());
  const auto lock = FileLock::acquire(layout.service_template_lock());
  if (!is_directory(made)) {
    const auto fresh = layout.service_templates() / ".new";
    remove_tree(fresh);
    make_directory(fresh);
    make(fresh);
    flush_file_system(fresh);
    rename_path(fresh, made);
  }
  Command copy;
  copy.argv = {"cp", "-a", "--reflink=auto", "--", made.native() + "/.", data.native()};
  copy.deadline = std::chrono::minutes{5};
  run_checked(copy);
}

void require_socat(std::string_view what) {
  if (find_program("socat")) return;
  throw UserError(fmt::format("socat is not installed, which {} needs", what), "sudo apt-get install socat");
}

std::map<std::string, ServiceType::Variable> jdbc_variables(std::string_view scheme, const ServiceAccount& account) {
  const auto& password = account.password.reveal();
  return {{"JDBC_DATABASE_URL",
           {fmt::format("jdbc:{}://127.0.0.1:{}/{}?user={}&password={}", scheme, account.port.value(), account.database,
                        account.role, password),
            true}},
          {"JDBC_DATABASE_USERNAME", {account.role}},
          {"JDBC_DATABASE_PASSWORD", {password, true}}};
}

Secret random_password() {
  std::array<unsigned char, 32> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) throw_errno("random numbers");
  std::string text;
  for (const auto byte : bytes) text += fmt::format("{:02x}", byte);
  return Secret(std::move(text));
}

}  // namespace pushrod
