// Services on this machine: s6 services that run bubblewrap sandboxes, like instances.
#pragma once

#include <filesystem>

#include "engine/service_engine.hh"
#include "model/layout.hh"
#include "model/settings.hh"
#include "sandbox/sandbox.hh"
#include "supervise/supervise.hh"

namespace pushrod {

class LocalServices : public ServiceEngine {
 public:
  LocalServices(const Layout& layout, const Settings& settings, const std::filesystem::path& programs);

  void start(const ServicePlan& plan) const override;
  void stop(const ServiceName& name) const override;
  void signal(const ServiceName& name, int number) const override;
  void kill(const ServiceName& name) const override;
  bool remove(const ServiceName& name) const override;
  std::vector<ServiceName> names() const override;
  std::optional<ServerStatus> inspect(const ServiceName& name) const override;
  std::uint64_t memory(const ServiceName& name) const override;
  bool limits_processors() const override;
  std::unique_ptr<LogStream> logs(const ServiceName& name) const override;
  std::vector<std::string> last_output(const ServiceName& name) const override;
  Command tool(const ServiceTool& tool) const override;
  void forward(const PortForwarder& forwarder) const override;
  bool end_forwarding(const PortForwarder& forwarder) const override;
  std::vector<PortForwarder> forwarders() const override;

  // For `pushrod up`, before the tree runs: what it is to start with.
  void prepare(const ServicePlan& plan) const;
  void prepare(const PortForwarder& forwarder) const;

 private:
  Sandbox sandbox_of(const ServiceName& name) const;
  Service service_of(const ServicePlan& plan) const;
  Service service_of(const PortForwarder& forwarder) const;
  void prepare(const Service& service) const;

  Layout layout_;
  Settings settings_;
  std::filesystem::path programs_;
  Supervisor supervisor_;
};

}  // namespace pushrod
