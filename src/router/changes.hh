// What has to be said to a running HAProxy to make a routing table true.
// Used inside router/ only. Pure: commands of HAProxy's management.txt, 9.3.
#pragma once

#include <string>
#include <vector>

#include "router/answers.hh"
#include "router/router.hh"

namespace pushrod {

// First the apps that are not to serve now, then new servers, then the apps that are to serve again, and old servers
// last: so no request meets an app without a server. Empty: all is as wanted.
std::vector<std::string> changes_to(const RoutingTable& table, const std::vector<ServerState>& servers,
                                    const Modes& modes);

// To take the server out for good. `del server` is refused for as long as a connection is open.
std::vector<std::string> removal_of(const ServerState& server);

// Joined to lines for the master socket, each within what HAProxy reads at once.
std::vector<std::string> in_batches(const std::vector<std::string>& commands);

}  // namespace pushrod
