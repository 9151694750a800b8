// The ingress of this machine: HAProxy (router/).
#pragma once

#include "engine/ingress.hh"
#include "model/layout.hh"
#include "model/settings.hh"
#include "router/router.hh"

namespace pushrod {

class LocalIngress : public Ingress {
 public:
  LocalIngress(const Layout& layout, const Settings& settings);

  void route(const std::vector<TrafficTarget>& targets) const override;
  bool is_routed(const std::vector<TrafficTarget>& targets) const override;
  void forget(const std::vector<InstanceName>& ended) const override;
  std::map<AppName, Idleness> idleness() const override;
  std::map<InstanceName, unsigned> requests_in_flight() const override;
  std::map<InstanceName, std::uint64_t> requests_served() const override;

  // For `pushrod up`, before the tree runs: writes what the router starts with.
  void prepare(const std::vector<TrafficTarget>& targets) const;

  const Router& router() const { return router_; }

 private:
  Router router_;
};

}  // namespace pushrod
