// What has to be said to a running HAProxy to make a rendering true.
// Used inside router/ only. Pure: commands of HAProxy's management.txt, 9.3.
#pragma once

#include <string>
#include <vector>

#include "router/answers.hh"
#include "router/haproxy_config.hh"

namespace pushrod {

// The order is such that no request meets an app without a server, nor another app's server: first the apps that are
// not to serve now; hosts and apps that have gone, and servers of theirs; then new servers, apps and hosts; then the
// apps that are to serve again, and old servers last. Each command is whole by itself: a host leads to its old or its
// new app. Empty: all is as wanted.
std::vector<std::string> changes_to(const Rendering& rendering, const std::vector<ServerState>& servers,
                                    const Maps& maps);

// To take the server out for good. `del server` is refused for as long as a connection is open.
std::vector<std::string> removal_of(const ServerState& server);

// Joined to lines for the master socket, each within what HAProxy reads at once.
std::vector<std::string> in_batches(const std::vector<std::string>& commands);

}  // namespace pushrod
