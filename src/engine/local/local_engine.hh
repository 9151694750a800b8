// The engine for this machine: instances are s6 services that run bubblewrap sandboxes; HAProxy brings the requests.
// On top of sandbox/, supervise/ and router/.
#pragma once

#include <filesystem>

#include "engine/engine.hh"
#include "model/settings.hh"
#include "router/router.hh"
#include "sandbox/cgroup.hh"
#include "sandbox/limits.hh"
#include "sandbox/sandbox.hh"
#include "supervise/supervise.hh"

namespace pushrod {

// What a process may have open unless its app asks for less.
inline constexpr std::uint64_t kOpenFiles = 65'536;

class LocalEngine : public Engine {
 public:
  // `programs`: the directory of pushrod and pushrod-shim.
  LocalEngine(const Layout& layout, const Settings& settings, const std::filesystem::path& programs);

  void check_ready() override;
  void start(const std::vector<InstancePlan>& plans) override;
  std::optional<HealthFailure> await_healthy(const std::vector<InstancePlan>& plans, int cancel_fd) override;
  std::vector<InstanceStatus> inspect() override;
  std::vector<InstanceStatus> inspect(const std::vector<InstanceName>& names) override;
  std::vector<InstanceCondition> conditions(const std::vector<Instance>& instances) override;
  std::vector<std::string> last_output(const InstanceName& name) override;
  std::vector<InstanceUsage> usage() override;
  std::vector<std::string> limits_not_kept(const std::vector<InstancePlan>& plans) override;
  void stop(const std::vector<InstanceName>& names) override;
  void kill(const std::vector<InstanceName>& names) override;
  std::vector<InstanceName> remove(const std::vector<InstanceName>& names) override;
  Command job(const InstancePlan& plan, const std::vector<std::string>& words) override;
  Command job_log(const InstanceName& name) override;
  void forget_job(const InstanceName& name) override;
  void route(const std::vector<TrafficTarget>& targets) override;
  bool is_routed(const std::vector<TrafficTarget>& targets) override;
  std::map<AppName, Idleness> idleness() override;
  std::map<InstanceName, unsigned> requests_in_flight() override;

  // For `pushrod up`, before the tree runs: everything that the tree is to start with.
  void prepare_services(const std::vector<InstancePlan>& plans);
  void prepare_router(const std::vector<TrafficTarget>& targets);

  const Supervisor& supervisor() const { return supervisor_; }
  const Router& router() const { return router_; }

 private:
  Sandbox sandbox_of(const InstancePlan& plan) const;
  Service service_of(const InstancePlan& plan) const;
  void limit(Sandbox& sandbox, const InstancePlan& plan) const;
  // The most that an instance may be given here, as one of those that have been started shows.
  HardLimits hard_limits_of_tree(const std::vector<InstanceName>& started);
  void remove_groups(const std::vector<InstanceName>& names) const;
  // All that the instance has printed, as far as its log goes back.
  std::vector<std::string> instance_output(const InstanceName& name) const;
  InstanceStatus status_of(const InstanceName& name) const;
  std::string last_exit_of(const InstanceName& name, const std::string& as_supervised) const;

  Layout layout_;
  Settings settings_;
  std::filesystem::path programs_;
  Supervisor supervisor_;
  Router router_;
};

// Writes run/services/<name> for one of Pushrod's own programs (router, sshd, daemon) and links it.
void prepare_own_service(const Layout& layout, const Supervisor& supervisor, const std::string& name,
                         const Command& command, int stop_signal, Milliseconds stop_timeout, bool keep_capabilities,
                         std::optional<LogBranch> log_branch = {});

}  // namespace pushrod
