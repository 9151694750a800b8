// The engine for this machine: instances are s6 services that run bubblewrap sandboxes. On top of sandbox/ and
// supervise/. Requests come by local_ingress.hh.
#pragma once

#include <filesystem>

#include "engine/engine.hh"
#include "engine/local/local_services.hh"
#include "model/settings.hh"
#include "sandbox/cgroup.hh"
#include "sandbox/limits.hh"
#include "sandbox/sandbox.hh"
#include "supervise/supervise.hh"

namespace pushrod {

class LocalEngine : public Engine {
 public:
  // `programs`: the directory of pushrod and pushrod-shim.
  LocalEngine(const Layout& layout, const Settings& settings, const std::filesystem::path& programs);

  void check_ready() const override;
  std::vector<Finding> examine() const override;
  void provide(const std::vector<InstancePlan>& plans) const override;
  void start(const std::vector<InstancePlan>& plans) const override;
  std::optional<HealthFailure> await_healthy(const std::vector<InstancePlan>& plans, int cancel_fd) const override;
  std::vector<InstanceStatus> inspect() const override;
  std::vector<InstanceStatus> inspect(const std::vector<InstanceName>& names) const override;
  std::vector<InstanceCondition> conditions(const std::vector<Instance>& instances) const override;
  Endpoint endpoint(const Instance& instance) const override;
  std::unique_ptr<LogStream> logs(const AppName& app, const std::string& process) const override;
  std::vector<std::string> last_output(const InstanceName& name) const override;
  std::vector<InstanceUsage> usage() const override;
  std::vector<std::string> limits_not_kept(const std::vector<InstancePlan>& plans) const override;
  void stop(const std::vector<InstanceName>& names) const override;
  void kill(const std::vector<InstanceName>& names) const override;
  std::vector<InstanceName> remove(const std::vector<InstanceName>& names) const override;
  std::vector<std::string> shell_words(const std::string& line) const override;
  Command job(const InstancePlan& plan, const std::vector<std::string>& words) const override;
  Command job_log(const InstanceName& name) const override;
  void forget_job(const InstanceName& name) const override;
  void forget_app(const AppName& app) const override;

  const LocalServices& services() const override { return services_; }

  // For `pushrod up`, before the tree runs: what it is to start with.
  void prepare_services(const std::vector<InstancePlan>& plans) const;

 private:
  Sandbox sandbox_of(const InstancePlan& plan) const;
  Service service_of(const InstancePlan& plan) const;
  void limit(Sandbox& sandbox, const InstancePlan& plan) const;
  // The most that an instance may be given here, as one of those that have been started shows.
  HardLimits hard_limits_of_tree(const std::vector<InstanceName>& started) const;
  void remove_groups(const std::vector<InstanceName>& names) const;
  // All that the instance has printed, as far as its log goes back.
  std::vector<std::string> instance_output(const InstanceName& name) const;
  InstanceStatus status_of(const InstanceName& name) const;
  std::optional<ExitStatus> last_exit_of(const InstanceName& name, std::optional<ExitStatus> as_supervised) const;

  Layout layout_;
  Settings settings_;
  std::filesystem::path programs_;
  Supervisor supervisor_;
  LocalServices services_;
};

}  // namespace pushrod
