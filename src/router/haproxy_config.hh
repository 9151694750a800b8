// The parts of the rendering that only this room needs: the map from host names to back ends, and the structure's mark.
// Used inside router/ only. All pure.
#pragma once

#include <string>
#include <string_view>

#include "router/router.hh"

namespace pushrod {

inline constexpr std::string_view kBackendPrefix = "app.";

// One "host back-end" a line, sorted. Throws Error for a host name that is none, or that two apps claim.
std::string render_host_map(const RoutingTable& table);

// What modes.map says of the app: a word, or the file of its own page ("pages/own.9234f9a796b70d02"); empty for one
// that simply serves, which is not in the map.
std::string mode_of(const RoutedApp& app);
// One "back-end mode" a line, sorted.
std::string render_modes(const RoutingTable& table);

// What HAProxy reads when it loads.
struct Rendering {
  // 16 hexadecimal digits that stand for all that only a load changes: configuration without servers, host names,
  // pages, script. The configuration says it as its description, so a running HAProxy tells what it has loaded.
  std::string mark;
  std::string config;    // with the servers
  std::string host_map;  // render_host_map()
};
Rendering render(const Settings& settings, const RoutingTable& table);
// "hosts.<mark>.map": with the mark in its name a new map never meets an old configuration.
std::string host_map_file(std::string_view mark);

}  // namespace pushrod
