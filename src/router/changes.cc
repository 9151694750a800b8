// Compares wanted with observed modes and servers, back end by back end.
#include "router/changes.hh"

#include <fmt/format.h>

#include <map>
#include <set>

#include "router/haproxy_config.hh"
#include "router/hold_script.hh"

namespace pushrod {

std::vector<std::string> changes_to(const RoutingTable& table, const std::vector<ServerState>& servers,
                                    const Modes& modes) {
  std::map<std::string, const ServerState*> leaving;
  for (const auto& server : servers) {
    if (server.backend.starts_with(kBackendPrefix)) leaving.emplace(server.backend + "/" + server.name, &server);
  }
  std::set<std::string> sticky;
  for (const auto& app : table.apps) {
    if (app.sticky) sticky.insert(backend_name(app.app));
  }
  std::vector<std::string> commands;
  auto past_modes = modes;
  for (const auto& app : table.apps) {
    const auto mode = mode_of(app);
    if (mode.empty()) continue;
    const auto known = past_modes.find(backend_name(app.app));
    if (known == past_modes.end() || known->second != mode) {
      commands.push_back(fmt::format("{} map {} {} {}", known == past_modes.end() ? "add" : "set", kModesFile,
                                     backend_name(app.app), mode));
    }
    past_modes.erase(backend_name(app.app));
  }
  for (const auto& app : table.apps) {
    for (const auto& wanted : app.servers) {
      const auto name = backend_name(app.app) + "/" + server_name(wanted.instance);
      const auto known = leaving.find(name);
      bool is_ready = false;
      if (known == leaving.end()) {
        commands.push_back(fmt::format("add server {} 127.0.0.1:{}", name, wanted.port));
      } else {
        is_ready = known->second->admin == 0;
        if (known->second->port != wanted.port || known->second->address != "127.0.0.1") {
          commands.push_back(fmt::format("set server {} addr 127.0.0.1 port {}", name, wanted.port));
        }
        leaving.erase(known);
      }
      if (is_ready) continue;
      // It gets its cookie before its first request: this computes those of all servers of the back end.
      if (app.sticky) commands.push_back(fmt::format("enable dynamic-cookie backend {}", backend_name(app.app)));
      commands.push_back(fmt::format("set server {} state ready", name));
    }
  }
  for (const auto& [backend, mode] : past_modes) commands.push_back(fmt::format("del map {} {}", kModesFile, backend));
  for (const auto& [name, server] : leaving) {
    if (server->admin != 0) continue;
    // A server that drains keeps the clients that have its cookie; one in maintenance does not. Either finishes its
    // requests.
    const auto* state = sticky.contains(server->backend) ? "maint" : "drain";
    commands.push_back(fmt::format("set server {} state {}", name, state));
  }
  return commands;
}

std::vector<std::string> removal_of(const ServerState& server) {
  const auto name = server.backend + "/" + server.name;
  return {fmt::format("set server {} state maint", name), fmt::format("shutdown sessions server {}", name),
          fmt::format("del server {}", name)};
}

std::vector<std::string> in_batches(const std::vector<std::string>& commands) {
  // HAProxy reads a line into one buffer of 16 kB (tune.bufsize), part of which it keeps for itself.
  constexpr std::size_t kLongest = 8'192;
  std::vector<std::string> batches;
  for (const auto& command : commands) {
    if (batches.empty() || batches.back().size() + command.size() + 2 > kLongest) {
      batches.push_back(command);
    } else {
      batches.back() += "; " + command;
    }
  }
  return batches;
}

}  // namespace pushrod
