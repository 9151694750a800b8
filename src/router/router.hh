// HAProxy: every request of a client goes through it.
// haproxy.cfg is a rendering of the routing table. The file is written first; then servers and modes are changed at run
// time over the master socket, and so are host names and apps. HAProxy reloads only when something else changed: a
// listen address, say, or more apps than it has back ends for.
// README.md tells how a reload loses no request.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/access_rules.hh"
#include "model/http_rules.hh"
#include "model/layout.hh"
#include "model/names.hh"
#include "model/release.hh"
#include "model/route.hh"
#include "model/settings.hh"
#include "model/traffic.hh"
#include "os/command.hh"

namespace pushrod {

// So many idle connections the router keeps to a server at most.
inline constexpr unsigned kIdleConnections = 32;

struct RoutedServer {
  InstanceName instance;
  Port port;
  bool h2 = false;  // it speaks HTTP/2 without TLS
  auto operator<=>(const RoutedServer&) const = default;
};

struct RoutedApp {
  AppName app;
  std::vector<Route> routes;
  std::vector<RoutedServer> servers;  // those that get requests; may be empty: the 503 page
  TrafficMode mode = TrafficMode::Serve;
  std::string page = {};  // the body of its own page for Maintenance; empty: the usual page
  bool sticky = false;    // a cookie keeps a client on its server for as long as that is one of these
  HttpRules http{};
  AccessRules access{};
  bool keeps_connections = false;  // its servers take idle connections, kIdleConnections each
};

// A certificate that is shown to clients that ask for the host ("*.example.com": for one label).
struct RoutedCertificate {
  HostName host;
  std::filesystem::path file;  // PEM: the chain and the key
  std::string id;              // of the content: another one is another certificate. Letters and digits
};

// Sorted by app; no two routes from the same point. Certificates sorted by host, one each.
struct RoutingTable {
  std::vector<RoutedApp> apps;
  std::vector<RoutedCertificate> certificates = {};
};

// The most connections of clients ([http] connections) with which HAProxy keeps within so many descriptors: two take
// three of them, because one of the two may have a request at an app. At least 100.
unsigned connections_within(std::uint64_t descriptors);

class Router {
 public:
  Router(Layout layout, Settings settings);

  // Writes all files for a router that is not running yet, after removing what an earlier one left behind.
  // Throws Error with HAProxy's own words when it refuses the file.
  void prepare(const RoutingTable& table) const;
  // haproxy -W in the foreground. SIGTERM ends it at once; SIGUSR1 lets requests in flight finish first.
  Command command() const;

  // Makes HAProxy do what the table says: writes the file, then changes servers and modes at run time. Reloads if
  // something else changed, after `haproxy -c` on the new file; when that refuses it, the old file stays and Error
  // tells why. A server that is in no app's list any more gets no new requests once this has returned (state drain;
  // maint in an app with sticky clients), and stays until forget(). Idempotent. Holds run/locks/router, so callers wait
  // for each other. When HAProxy does not run, only the files are written.
  void apply(const RoutingTable& table) const;
  // Clients can resume TLS sessions whose tickets were sealed with one of the last three keys; this makes a new one, if
  // the last one is that old. Does nothing without [https].
  void rotate_ticket_keys(Milliseconds least_age) const;
  // Does HAProxy do what the table says (structure, servers and modes)? False when it is not running.
  bool serves(const RoutingTable& table) const;

  // Requests in flight per instance ("blog.14.web.2") that HAProxy knows, in any state, WebSockets included; an
  // instance that it does not know is absent. Workers that a reload left behind are counted until they end.
  std::map<std::string, unsigned> requests_in_flight() const;
  // Requests that were sent to each instance since its worker began; less than before after a reload or restart.
  std::map<std::string, std::uint64_t> requests_served() const;
  // By app, whole seconds; old workers counted, too. Empty when it is not running.
  std::map<std::string, Idleness> idleness() const;
  // What HAProxy sends requests to now, to be held against what is wanted: for every app that it knows its servers
  // ("blog.14.web.2"), sorted; none for an app that answers with the 503 page. Empty when it is not running.
  std::map<std::string, std::vector<std::string>> observed() const;
  // Removes drained servers from HAProxy (maintenance, connections closed, del server). Those that it does not know
  // are forgotten already.
  void forget(const std::vector<InstanceName>& instances) const;

  // Does a worker answer?
  bool is_running() const;
  // Those processes of HAProxy that run and do not answer within `at_most` each: workers, or, when its master is
  // silent, all. Empty when none runs, and while it starts or reloads.
  std::vector<pid_t> silent_processes(Milliseconds at_most) const;

 private:
  Layout layout_;
  Settings settings_;
};

// "app.blog": the app in the access log, the maps and the calls to wake it.
std::string routed_name(const AppName& app);
// And back; absent for another text.
std::optional<AppName> app_of_routed_name(std::string_view name);

}  // namespace pushrod
