// Redis, or Valkey where Debian has it: one key space, for one app.
//
// Accounts are those of its ACL (users.acl in the data directory): "pushrod" is the administrator, "default" is off.
// What is written is in the append-only file within a second.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"
#include "services/service_type.hh"

namespace pushrod {

namespace {

constexpr const char* kPrograms = "/usr/bin";
constexpr const char* kAdministrator = "pushrod";
constexpr const char* kSocketName = "redis.sock";
constexpr std::uint64_t kNone = 1;  // bytes of memory; 0 would be without a limit

std::string socket_in(const std::string& directory) { return directory + "/" + kSocketName; }

// "redis" or "valkey".
std::string flavour_of(const std::string& version) { return version.substr(0, version.find('-')); }

// "Redis server v=7.0.15 sha=…", "Valkey server v=8.1.1 …" → "7"
std::string major_version(const std::string& text) {
  const auto at = text.find("v=");
  if (at == std::string::npos) return {};
  const auto end = text.find_first_not_of("0123456789", at + 2);
  return text.substr(at + 2, end - at - 2);
}

Environment usual_environment() {
  return {{"PATH", "/usr/bin:/bin"}, {"LANG", "C.UTF-8"}, {"HOME", "/tmp"}, {"TZ", "UTC"}};
}

class Redis : public ServiceType {
 public:
  std::string_view name() const override { return "redis"; }
  std::string_view description() const override { return "Redis"; }
  std::string package(const std::string& version) const override {
    if (version.empty()) return has_valkey_package() ? "valkey-server" : "redis-server";
    return flavour_of(version) == "valkey" ? "valkey-server" : "redis-server";
  }
  std::string unit() const override { return package({}); }
  std::uint64_t usual_memory() const override { return std::uint64_t{64} << 20; }
  std::uint64_t least_memory() const override { return std::uint64_t{16} << 20; }
  std::string_view prefix() const override { return "REDIS"; }
  std::string_view socket_name() const override { return kSocketName; }
  bool has_databases() const override { return false; }

  std::vector<InstalledServer> installed() const override {
    std::vector<InstalledServer> found;
    for (const std::string flavour : {"valkey", "redis"}) {
      const auto program = fs::path(kPrograms) / (flavour + "-server");
      if (access(program.c_str(), X_OK) != 0) continue;
      // Debian's compatibility package makes redis-server a link to valkey-server.
      if (flavour == "redis" && fs::canonical(program).filename() != "redis-server" &&
          fs::canonical(program).filename() != "redis-check-rdb") {
        continue;
      }
      Command command;
      command.argv = {program.native(), "--version"};
      if (const auto major = major_version(run(command).out); !major.empty()) {
        found.push_back({flavour + "-" + major, kPrograms});
      }
    }
    return found;
  }

  ServicePlan plan(const Server& server) const override {
    ServicePlan plan{.name = server.service.name,
                     .argv = {server.program(flavour_of(server.service.version) + "-server")}};
    const auto set = [&](const std::string& option, const std::string& value) {
      plan.argv.push_back("--" + option);
      plan.argv.push_back(value);
    };
    set("port", "0");
    set("unixsocket", socket_in(kServiceSocket));
    set("unixsocketperm", "700");
    set("dir", kServiceData);
    set("aclfile", "/data/users.acl");
    set("appendonly", "yes");
    set("appendfsync", "everysec");
    set("save", "");
    // An app that fills it is told so; nothing that it has written is thrown away.
    set("maxmemory", std::to_string(server.service.over_disk != 0 ? kNone : server.service.memory * 3 / 4));
    set("maxmemory-policy", "noeviction");
    // A dump that is streamed from memory ends with a mark that redis-cli cannot cut off its standard output.
    set("repl-diskless-sync", "no");
    set("daemonize", "no");
    plan.environment = usual_environment();
    plan.limits.memory = server.service.memory;
    return plan;
  }

  void initialise(const Server& server, const fs::path& data) const override {
    write_file(data / "users.acl",
               fmt::format("user default off\nuser {} on >{} ~* &* +@all\n", kAdministrator, server.password.reveal()));
  }

  // It takes commands that delete. Its log of commands is written anew, and shorter.
  void set_read_only(const Server& server, bool read_only) const override {
    const auto wanted = read_only ? kNone : server.service.memory * 3 / 4;
    const auto now = lines_of(run_service_tool(server, client(server, {"config", "get", "maxmemory"})));
    if (!now.empty() && now.back() == std::to_string(wanted)) return;
    commands(server, fmt::format("CONFIG SET maxmemory {}\n{}", wanted, read_only ? "BGREWRITEAOF\n" : ""));
  }

  bool answers(const Server& server) const override {
    auto command =
        server.platform.engine.tool({server.service.name, client(server, {"ping"}).argv, client_environment(server)});
    command.deadline = Milliseconds{5'000};
    const auto result = run(command);
    return result.ok() && result.out.starts_with("PONG");
  }

  std::vector<std::string> databases(const Server&) const override { return {}; }

  void open_account(const Server& server, const ServiceAccount& account) const override {
    // Commands that concern the server as a whole, its accounts or its files are the administrator's.
    commands(server, fmt::format("ACL SETUSER {} reset on >{} ~* &* +@all -@admin +info +client -client|kill "
                                 "-client|pause -client|unpause -client|no-evict\nACL SAVE\n",
                                 account.role, account.password.reveal()));
  }

  void close_account(const Server& server, const ServiceAccount& account, bool with_database) const override {
    commands(server, fmt::format("ACL DELUSER {}\nACL SAVE\n{}", account.role, with_database ? "FLUSHALL\n" : ""));
  }

  std::map<std::string, Variable> variables(const ServiceAccount& account, const std::string& prefix) const override {
    const auto& password = account.password.reveal();
    const auto socket = socket_in(account.directory);
    if (account.port) {
      return {
          {prefix + "_URL", {fmt::format("redis://{}:{}@127.0.0.1:{}/0", account.role, password, *account.port), true}},
          {prefix + "_HOST", {"127.0.0.1"}},
          {prefix + "_PORT", {std::to_string(*account.port)}},
          {prefix + "_USERNAME", {account.role}},
          {prefix + "_PASSWORD", {password, true}}};
    }
    return {{prefix + "_URL", {fmt::format("unix://{}:{}@{}?db=0", account.role, password, socket), true}},
            {prefix + "_SOCKET", {socket}},
            {prefix + "_USERNAME", {account.role}},
            {prefix + "_PASSWORD", {password, true}}};
  }

  ServiceClient dump(const Server& server, const std::string&) const override { return client(server, {"--rdb", "-"}); }

  bool restores_into_directory() const override { return true; }

  // The dump becomes the base of an append-only file (its format is documented at redis.io, "Redis persistence").
  void read_dump(const Server& server, int input, const fs::path& data) const override {
    const auto files = data / "appendonlydir";
    make_directory(files);
    feed_service_tool(server,
                      {{"/usr/bin/dd", "of=/data/appendonlydir/appendonly.aof.1.base.rdb", "bs=64K", "status=none"},
                       usual_environment()},
                      input, data);
    write_file(files / "appendonly.aof.manifest", "file appendonly.aof.1.base.rdb seq 1 type b\n");
    run_service_tool(server,
                     {{server.program(flavour_of(server.service.version) + "-check-rdb"),
                       "/data/appendonlydir/appendonly.aof.1.base.rdb"},
                      usual_environment()},
                     {}, data);
    const auto accounts = read_file(server.platform.layout.service_data(server.service.name) / "users.acl");
    if (!accounts) throw Error("the accounts of service " + server.service.name.str() + " are gone");
    write_file(data / "users.acl", *accounts);
  }

  ServiceClient console(const Server& server, const std::string&) const override { return client(server, {}); }

  Environment client_environment(const Server& server) const override {
    auto environment = usual_environment();
    environment["REDISCLI_AUTH"] = server.password.reveal();
    environment["REDIS_SOCKET"] = socket_in(kServiceSocket);
    return environment;
  }

 private:
  static bool has_valkey_package() {
    Command ask;
    ask.argv = {"apt-cache", "policy", "valkey-server"};
    try {
      return run(ask).out.find("Candidate: (none)") == std::string::npos && !run(ask).out.empty();
    } catch (const Error&) {
      return false;
    }
  }

  ServiceClient client(const Server& server, const std::vector<std::string>& words) const {
    std::vector<std::string> argv{server.program(flavour_of(server.service.version) + "-cli"),
                                  "-s",
                                  socket_in(kServiceSocket),
                                  "--user",
                                  kAdministrator,
                                  "--no-auth-warning"};
    argv.insert(argv.end(), words.begin(), words.end());
    return {std::move(argv), client_environment(server)};
  }

  // redis-cli reports a refused command on standard output, and goes on.
  void commands(const Server& server, const std::string& lines) const {
    const auto answer = run_service_tool(server, client(server, {"-e"}), lines);
    for (const auto& line : lines_of(answer)) {
      if (line.starts_with("ERR") || line.starts_with("NOPERM") || line.starts_with("NOAUTH")) {
        throw Error(fmt::format("service {} refused a command: {}", server.service.name.str(), escaped(line)));
      }
    }
  }
};

}  // namespace

const ServiceType& redis_type() {
  static const Redis kType;
  return kType;
}

}  // namespace pushrod
