// Which instances may be given idle connections that the router keeps for further requests. Some servers handle one
// connection at a time, or as many as they have workers: an idle one then keeps others waiting.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/ingress.hh"
#include "model/layout.hh"

namespace pushrod {

// Not to a single instance of an app whose clients stay with one instance: its back end has no second try
// (docs/decisions/0096).
bool may_keep_connections(const TrafficTarget& target);

// Does the server on this port accept more idle connections than the router keeps? Opens them, sends nothing, and
// waits up to a tenth of a second.
bool accepts_idle_connections(Port port);

// What has been found out, a file each in run/router/: also for the processes that come later.
class KeepAlive {
 public:
  explicit KeepAlive(const Layout& layout) : directory_(layout.router() / "keep-alive") {}

  // Those that accept them, of these.
  std::set<InstanceName> known(const std::vector<TrafficTarget>& targets) const;
  // Tests those that matter, of which nothing is known yet, and which accept connections; as many as half a second is
  // enough for. The next call goes on.
  void find_out(const std::vector<TrafficTarget>& targets) const;
  bool is_complete(const std::vector<TrafficTarget>& targets) const;
  void forget(const std::vector<InstanceName>& ended) const;

 private:
  std::vector<Backend> unknown(const std::vector<TrafficTarget>& targets) const;
  fs::path directory_;
};

}  // namespace pushrod
