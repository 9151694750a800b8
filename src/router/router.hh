// HAProxy: the only thing that clients meet.
// Floor 3. haproxy.cfg is a rendering of the routing table; file first, then the change at run time over the admin
// socket, and a reload through the master socket only when the set of apps or a listen address changes.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/layout.hh"
#include "model/names.hh"
#include "model/release.hh"
#include "model/settings.hh"
#include "os/command.hh"

namespace pushrod {

struct RoutedServer {
  InstanceName instance;
  Port port;
  auto operator<=>(const RoutedServer&) const = default;
};

struct RoutedApp {
  AppName app;
  std::vector<std::string> hosts;     // host names, without port, lower case
  std::vector<RoutedServer> servers;  // those that get requests; may be empty: the 503 page
};

// Sorted by app; unique hosts.
struct RoutingTable {
  std::vector<RoutedApp> apps;
};

// The whole configuration file. Deterministic: the same table gives the same bytes. `with_servers` false leaves the
// server lines out, which gives the part that only a reload can change.
std::string render_haproxy_config(const Layout& layout, const Settings& settings, const RoutingTable& table,
                                  bool with_servers = true);

class Router {
 public:
  Router(Layout layout, Settings settings);

  // Writes configuration and pages for a router that is not running yet.
  void prepare(const RoutingTable& table) const;
  // haproxy -W in the foreground.
  Command command() const;

  // Makes the table true: file first, then at run time; reloads (after `haproxy -c` on the new file; when that refuses
  // it, the old file stays and Error tells why) if more than servers changed. Servers that are in no app's list any
  // more get no new requests from now on (state drain), and stay until forget(). Idempotent. One caller at a time:
  // holds run/locks/router. When HAProxy is not running the file is written and that is all.
  void apply(const RoutingTable& table) const;

  // Requests in flight per server that HAProxy knows, in whatever state; a server that it does not know is absent.
  std::map<std::string, unsigned> requests_in_flight() const;
  // Servers that HAProxy sends requests to now, by app: what is observed, to be held against what is wanted.
  std::map<std::string, std::vector<std::string>> observed() const;
  // Removes drained servers from HAProxy (maintenance, connections closed, del server).
  void forget(const std::vector<InstanceName>& instances) const;

  bool is_running() const;

 private:
  Layout layout_;
  Settings settings_;
};

// In the app's back end a server is called by release, type and number: "14.web.2".
std::string server_name(const InstanceName& instance);

}  // namespace pushrod
