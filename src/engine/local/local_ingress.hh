// The ingress of this machine: HAProxy (router/).
#pragma once

#include <optional>
#include <string_view>

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

  std::unique_ptr<LogStream> access_log(const AppName& app) const override;
  void tend() const override;

  // For `pushrod up`, before the tree runs: writes what the router starts with, and returns the command that it is.
  Command prepare(const std::vector<TrafficTarget>& targets) const;

 private:
  Layout layout_;
  Settings settings_;
  Router router_;
};

// The app that the router asks to wake, by what it writes to Layout::wake_socket(). Absent for anything else.
std::optional<AppName> app_of_wake_call(std::string_view text);

}  // namespace pushrod
