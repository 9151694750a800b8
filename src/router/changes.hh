// What has to be said to a running HAProxy to make a routing table true.
// Floor 3. Used inside router/ only. Pure: commands of HAProxy's management.txt, 9.3.
#pragma once

#include <string>
#include <vector>

#include "router/answers.hh"
#include "router/router.hh"

namespace pushrod {

// New servers first and old ones to drain last, so that no app is without a server in between. Empty: all is as wanted.
std::vector<std::string> changes_to(const RoutingTable& table, const std::vector<ServerState>& servers);

// To take the server out for good. `del server` is refused for as long as a connection is open.
std::vector<std::string> removal_of(const ServerState& server);

// Joined to lines for the master socket, each within what HAProxy reads at once.
std::vector<std::string> in_batches(const std::vector<std::string>& commands);

}  // namespace pushrod
