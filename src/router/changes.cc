// Compares wanted with observed maps and servers.
#include "router/changes.hh"

#include <fmt/format.h>

#include <map>
#include <set>

namespace pushrod {

namespace {

using Commands = std::vector<std::string>;

// What makes one map the other: entries that come or become another, and entries that go.
struct MapChange {
  Commands sets, removals;
};

MapChange map_change(const char* file, const MapEntries& wanted, const MapEntries& known) {
  MapChange change;
  for (const auto& [key, value] : wanted) {
    const auto found = known.find(key);
    if (found != known.end() && found->second == value) continue;
    change.sets.push_back(fmt::format("{} map {} {} {}", found == known.end() ? "add" : "set", file, key, value));
  }
  for (const auto& [key, value] : known) {
    if (!wanted.contains(key)) change.removals.push_back(fmt::format("del map {} {}", file, key));
  }
  return change;
}

void append(Commands& commands, Commands more) {
  for (auto& command : more) commands.push_back(std::move(command));
}

std::string full_name(std::string_view backend, std::string_view server) {
  return fmt::format("{}/{}", backend, server);
}

// A server that drains keeps the clients that have its cookie; one in maintenance does not. Either finishes its
// requests.
std::string leave(const ServerState& server) {
  return fmt::format("set server {} state {}", full_name(server.backend, server.name),
                     slot_of(server.backend).starts_with(kStickySlot) ? "maint" : "drain");
}

void add_server(Commands& commands, const WantedServer& wanted, const ServerState* known) {
  const auto name = full_name(wanted.backend, wanted.name);
  if (known == nullptr) {
    commands.push_back(fmt::format("add server {} 127.0.0.1:{}{}", name, wanted.port, server_options(wanted)));
  } else if (known->port != wanted.port || known->address != "127.0.0.1") {
    commands.push_back(fmt::format("set server {} addr 127.0.0.1 port {}", name, wanted.port));
  }
  if (known != nullptr && known->admin == 0) return;
  // It gets its cookie before its first request: this computes those of all servers of the back end.
  if (wanted.sticky) commands.push_back(fmt::format("enable dynamic-cookie backend {}", wanted.backend));
  commands.push_back(fmt::format("set server {} state ready", name));
}

// Is it in the slot of another app? The servers of an app's instances begin with the app's name. A slot that no app has
// any more serves its app until that one's requests go elsewhere.
bool is_stranger(const ServerState& server, const std::map<std::string, std::string>& app_of_slot) {
  const auto owner = app_of_slot.find(std::string(slot_of(server.backend)));
  const auto instance = InstanceName::from(server.name);
  return owner != app_of_slot.end() && !(instance && routed_name(instance->app) == owner->second);
}

}  // namespace

std::vector<std::string> changes_to(const Rendering& rendering, const std::vector<ServerState>& servers,
                                    const Maps& maps) {
  std::map<std::string, const ServerState*> leaving;
  for (const auto& server : servers) {
    if (is_slot(server.backend)) leaving.emplace(full_name(server.backend, server.name), &server);
  }
  auto modes = map_change(kModesFile, rendering.maps.modes, maps.modes);
  auto slots = map_change(kSlotsFile, rendering.maps.slots, maps.slots);
  auto hosts = map_change(kHostsFile, rendering.maps.hosts, maps.hosts);
  auto http = map_change(kHttpFile, rendering.maps.http, maps.http);
  auto errors = map_change(kErrorsFile, rendering.maps.errors, maps.errors);
  Commands arrivals;
  for (const auto& wanted : rendering.servers) {
    const auto found = leaving.find(full_name(wanted.backend, wanted.name));
    add_server(arrivals, wanted, found == leaving.end() ? nullptr : found->second);
    if (found != leaving.end()) leaving.erase(found);
  }
  std::map<std::string, std::string> app_of_slot;
  for (const auto& [app, backend] : rendering.maps.slots) app_of_slot.emplace(slot_of(backend), app);
  Commands strangers, departures;
  for (const auto& [name, server] : leaving) {
    if (server->admin == 0) (is_stranger(*server, app_of_slot) ? strangers : departures).push_back(leave(*server));
  }

  Commands commands = std::move(modes.sets);
  append(commands, std::move(hosts.removals));
  append(commands, std::move(strangers));
  append(commands, std::move(http.sets));
  append(commands, std::move(errors.sets));
  append(commands, std::move(arrivals));
  append(commands, std::move(slots.sets));
  append(commands, std::move(hosts.sets));
  append(commands, std::move(slots.removals));
  append(commands, std::move(modes.removals));
  append(commands, std::move(departures));
  append(commands, std::move(http.removals));
  append(commands, std::move(errors.removals));
  return commands;
}

std::vector<std::string> removal_of(const ServerState& server) {
  const auto name = server.backend + "/" + server.name;
  return {fmt::format("set server {} state maint", name), fmt::format("shutdown sessions server {}", name),
          fmt::format("del server {}", name)};
}

std::vector<std::string> in_batches(const std::vector<std::string>& commands) {
  // HAProxy reads a line into one buffer (tune.bufsize), part of which it keeps for itself. Short lines let it serve
  // requests in between.
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
