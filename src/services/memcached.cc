// Memcached: a cache for one app, which is empty after every start.
//
// It has no accounts, and keeps nothing: the directory of its socket is its only wall, and there is nothing to dump.
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>

#include "base/error.hh"
#include "os/files.hh"
#include "os/socket.hh"
#include "services/service_type.hh"

namespace pushrod {

namespace {

constexpr const char* kServer = "/usr/bin/memcached";
constexpr const char* kSocketName = "memcached.sock";

std::string socket_in(const std::string& directory) { return directory + "/" + kSocketName; }

Environment usual_environment() {
  return {{"PATH", "/usr/bin:/bin"}, {"LANG", "C.UTF-8"}, {"HOME", "/tmp"}, {"TZ", "UTC"}};
}

class Memcached : public ServiceType {
 public:
  std::string_view name() const override { return "memcached"; }
  std::string_view description() const override { return "Memcached"; }
  std::string package(const std::string&) const override { return "memcached"; }
  std::string unit() const override { return "memcached"; }
  std::uint64_t usual_memory() const override { return std::uint64_t{64} << 20; }
  std::uint64_t least_memory() const override { return std::uint64_t{16} << 20; }
  std::string_view prefix() const override { return "MEMCACHED"; }
  std::string_view socket_name() const override { return kSocketName; }
  bool has_databases() const override { return false; }
  bool keeps_data() const override { return false; }

  std::vector<InstalledServer> installed() const override {
    if (access(kServer, X_OK) != 0) return {};
    Command ask;
    ask.argv = {kServer, "--version"};  // "memcached 1.6.18"
    const auto text = run(ask).out;
    const auto begin = text.find(' ');
    const auto end = text.find('.', begin);
    if (begin == std::string::npos || end == std::string::npos) return {};
    return {{text.substr(begin + 1, end - begin - 1), "/usr/bin"}};
  }

  ServicePlan plan(const Server& server) const override {
    ServicePlan plan{.name = server.service.name,
                     .argv = {kServer, "--unix-socket", socket_in(kServiceSocket), "--unix-mask=700", "--udp-port=0",
                              fmt::format("--memory-limit={}", (server.service.memory >> 20) * 3 / 4)}};
    plan.environment = usual_environment();
    plan.limits.memory = server.service.memory;
    return plan;
  }

  void initialise(const Server&, const fs::path&) const override {}

  bool answers(const Server& server) const override {
    try {
      const auto socket = server.platform.layout.service_socket(server.service.name) / kSocketName;
      return ask_unix_socket(socket, "version\r\n", Milliseconds{5'000}).starts_with("VERSION ");
    } catch (const SystemError&) {
      return false;
    }
  }

  std::vector<std::string> databases(const Server&) const override { return {}; }
  void open_account(const Server&, const ServiceAccount&) const override {}
  // The next app finds nothing: the supervisor starts it again.
  void close_account(const Server& server, const ServiceAccount&, bool) const override {
    server.platform.engine.signal(server.service.name, SIGTERM);
  }

  std::map<std::string, Variable> variables(const ServiceAccount& account, const std::string& prefix) const override {
    const auto socket = socket_in(account.directory);
    std::map<std::string, Variable> variables{{prefix + "_URL", {"unix:" + socket}}, {prefix + "_SOCKET", {socket}}};
    if (prefix == this->prefix()) variables["MEMCACHE_SERVERS"] = {socket};  // of Dalli
    return variables;
  }

  ServiceClient dump(const Server&, const std::string&) const override { return {{"/usr/bin/true"}, {}}; }
  void restore(const Server&, const std::string&, int) const override {}

  // The protocol itself, line by line. memcached-tool does not run on a bare Debian 13 (it lacks a module of Perl).
  ServiceClient console(const Server&, const std::string&) const override {
    require_socat("the console of Memcached");
    return {{"/usr/bin/socat", "-t", "5", "STDIO", "UNIX-CONNECT:" + socket_in(kServiceSocket) + ",crnl"},
            usual_environment()};
  }

  Environment client_environment(const Server&) const override {
    auto environment = usual_environment();
    environment["MEMCACHED_SOCKET"] = socket_in(kServiceSocket);
    return environment;
  }
};

}  // namespace

const ServiceType& memcached_type() {
  static const Memcached kType;
  return kType;
}

}  // namespace pushrod
