// Shares of the router's connections, so that neither a client nor an app takes those of all others: rules of
// haproxy.cfg. docs/security.md tells what they hold against.
// Used inside router/ only. Pure.
#pragma once

#include <string>
#include <string_view>

#include "model/settings.hh"

namespace pushrod {

// For the section "global".
std::string render_connection_limit(const Settings& settings);
// How many of the connections the public listener takes; what is left is for requests that workers hand on.
unsigned public_connections(const Settings& settings);
// For the front end: what becomes of a connection before anything was read from it.
std::string render_connection_shares(const Settings& settings);
// For the front end: what becomes of its requests.
std::string render_request_shares(const Settings& settings);
// For an app's back end.
// `other`: the second back end of the same app, which counts as well. `twice`: the server of one of the two that leads
// into the other, so that its requests are in both; empty without one.
std::string render_app_share(const Settings& settings, std::string_view other, std::string_view twice);
// Sections of their own: what the rules count in.
std::string render_share_tables(const Settings& settings);

}  // namespace pushrod
