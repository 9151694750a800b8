// What HAProxy reads: the configuration and the maps, and the structure's mark.
// Used inside router/ only. All pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "router/certificates.hh"
#include "router/maps.hh"
#include "router/router.hh"
#include "router/slots.hh"

namespace pushrod {

// A server as it is to be: of an app's instance, in the app's slot.
struct WantedServer {
  std::string backend;  // "slot.3"
  std::string name;     // "blog.14.web.2"
  Port port = 0;
  bool sticky = false;
  bool h2 = false;
  bool keeps_connections = false;  // in the slot's second back end
};
// What follows its address: how many connections are kept, another protocol, or nothing.
std::string server_options(const WantedServer& server);

// All that HAProxy is to do, rendered once for a change.
struct Rendering {
  // 16 hexadecimal digits that stand for all that only a load changes: configuration without servers, pages, script.
  // The configuration says it as its description, so a running HAProxy tells what it has loaded.
  std::string mark;
  std::string config;  // with the servers
  Maps maps;
  std::vector<WantedServer> servers;
  std::map<std::string, std::string> own_pages;  // what is of apps, by file, as the maps name it
  CertificateFiles certificates;                 // empty without [https]
};
// `slots`: assign_slots().
Rendering render(const Settings& settings, const RoutingTable& table, const Slots& slots);

// FNV-1a. It tells renderings of our own apart, nothing that anybody could want to forge.
std::uint64_t fingerprint(std::string_view text);

}  // namespace pushrod
