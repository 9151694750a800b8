// How requests get to instances: the second interface below deploying, beside engine/engine.hh. engine/local has one on
// HAProxy.
//
// Calls are idempotent. Functions are const, and any number of threads and processes may call them at the same time, on
// one object or on several. One rule holds: the caller of route() holds Layout::traffic_lock(), so that an older list
// of targets never replaces a newer one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/logs.hh"
#include "model/access_rules.hh"
#include "model/endpoint.hh"
#include "model/http_rules.hh"
#include "model/names.hh"
#include "model/route.hh"
#include "model/traffic.hh"

namespace pushrod {

struct Backend {
  InstanceName instance;
  Endpoint endpoint;
  bool h2 = false;  // it speaks HTTP/2 without TLS
  auto operator<=>(const Backend&) const = default;
};

// Which instances get the requests for which app.
struct TrafficTarget {
  AppName app;
  std::vector<Route> routes;
  std::vector<Backend> backends;  // may be empty
  TrafficMode mode = TrafficMode::Serve;
  std::string page = {};  // its own page for Maintenance; empty: the usual page
  bool sticky = false;    // a client stays with its instance as long as that one is among `backends`
  HttpRules http{};       // of its live release
  AccessRules access{};   // of its operator
};

class Ingress {
 public:
  Ingress() = default;
  Ingress(const Ingress&) = delete;
  Ingress& operator=(const Ingress&) = delete;
  virtual ~Ingress() = default;

  // Replaces all routes: an app that is not among the targets has none afterwards. An instance that is not among them
  // any more gets no new requests; those in flight go on.
  virtual void route(const std::vector<TrafficTarget>& targets) const = 0;
  // Does the ingress do this now? True when it does not run: it reads its routes when it starts. May first find out
  // what it was not told of the targets, for up to half a second: what it learns is a reason for another route().
  virtual bool is_routed(const std::vector<TrafficTarget>& targets) const = 0;
  // Drops what is kept about instances that have ended and are in no route. Not before they have ended: an instance
  // that was told to end may still answer a request.
  virtual void forget(const std::vector<InstanceName>& ended) const = 0;
  // By app; empty when the ingress does not run.
  virtual std::map<AppName, Idleness> idleness() const = 0;
  // Requests in flight per instance that the ingress knows, in the routes or out of them. An instance that it does not
  // know is absent.
  virtual std::map<InstanceName, unsigned> requests_in_flight() const = 0;
  // Requests that were sent to each instance; less than before after the ingress was reloaded or restarted.
  virtual std::map<InstanceName, std::uint64_t> requests_served() const = 0;
  // The requests for the app, by the source "router".
  virtual std::unique_ptr<LogStream> access_log(const AppName& app) const = 0;

  // What has to be done from time to time: the daemon calls this each minute.
  virtual void tend() const = 0;
};

}  // namespace pushrod
