// Services without processes. Used by the tests of deploy/ and above.
#pragma once

#include "engine/service_engine.hh"

namespace pushrod {

class FakeServices : public ServiceEngine {
 public:
  void start(const ServicePlan&) const override {}
  void stop(const ServiceName&) const override {}
  void signal(const ServiceName&, int) const override {}
  void kill(const ServiceName&) const override {}
  bool remove(const ServiceName&) const override { return true; }
  std::vector<ServiceName> names() const override { return {}; }
  std::optional<ServerStatus> inspect(const ServiceName&) const override { return {}; }
  std::uint64_t memory(const ServiceName&) const override { return 0; }
  bool limits_processors() const override { return false; }
  std::unique_ptr<LogStream> logs(const ServiceName&) const override { return nullptr; }
  std::vector<std::string> last_output(const ServiceName&) const override { return {}; }
  void forward(const PortForwarder&) const override {}
  bool end_forwarding(const PortForwarder&) const override { return true; }
  std::vector<PortForwarder> forwarders() const override { return {}; }
  Command tool(const ServiceTool&) const override {
    Command command;
    command.argv = {"true"};
    return command;
  }
};

}  // namespace pushrod
