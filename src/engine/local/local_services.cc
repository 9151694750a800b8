// Services on this machine.
#include "engine/local/local_services.hh"

#include <algorithm>
#include <csignal>

#include "base/error.hh"
#include "engine/local/logs.hh"
#include "os/files.hh"
#include "os/process_tree.hh"
#include "sandbox/cgroup.hh"
#include "sandbox/limits.hh"
#include "sandbox/shim_spec.hh"

namespace pushrod {

namespace {

// Two parts: no instance has such a name.
constexpr std::string_view kPrefix = "service.";
constexpr Milliseconds kStart{10'000};
// Without a cgroup, memory is limited as the address space for private data of each process: stacks of threads and what
// an allocator has reserved count, too.
constexpr std::uint64_t kReserved = std::uint64_t{192} << 20;
constexpr unsigned kProcesses = 512;
constexpr unsigned kLaterThanApps = 100;

std::string service_name(const ServiceName& name) { return std::string(kPrefix) + name.str(); }
std::string group_of(const ServiceName& name) { return "app.service." + name.str(); }

}  // namespace

LocalServices::LocalServices(const Layout& layout, const Settings& settings, const fs::path& programs)
    : layout_(layout), settings_(settings), programs_(programs), supervisor_(layout, programs) {}

Sandbox LocalServices::sandbox_of(const ServiceName& name) const {
  make_directory(layout_.service_socket(name));
  Sandbox sandbox;
  sandbox.mounts.push_back({layout_.service_socket(name), kServiceSocket, true});
  sandbox.directory = "/tmp";
  sandbox.host_name = name.str();
  sandbox.etc = write_sandbox_etc(layout_.sandbox_etc());
  sandbox.shim = programs_ / "pushrod-shim";
  sandbox.limits.processes = kProcesses;
  sandbox.tmpfs_bytes = settings_.instance_tmp;
  return sandbox;
}

Service LocalServices::service_of(const ServicePlan& plan) const {
  auto sandbox = sandbox_of(plan.name);
  sandbox.mounts.push_back({layout_.service_data(plan.name), kServiceData, true});
  sandbox.directory = kServiceData;
  sandbox.environment = plan.environment;
  sandbox.argv = plan.argv;
  sandbox.limits = plan.limits;
  if (!sandbox.limits.processes) sandbox.limits.processes = kProcesses;
  sandbox.oom_score = kLaterThanApps;
  if (const auto cgroups = Cgroups::recorded(layout_.cgroup())) {
    if (const auto group = cgroups->make(group_of(plan.name), sandbox.limits)) sandbox.cgroup = *group;
  }
  if (sandbox.cgroup.empty() && sandbox.limits.memory) *sandbox.limits.memory += kReserved;
  Service service;
  service.name = service_name(plan.name);
  service.spec = render_sandbox_spec(sandbox);
  if (plan.second_stop_signal != 0) {
    service.spec = with_second_stop(std::move(service.spec), plan.second_stop_signal, plan.stop_timeout / 2);
  }
  service.stop_timeout = plan.stop_timeout;
  service.stop_signal = plan.stop_signal;
  service.log_directory = layout_.backing_service_log(plan.name);
  service.log_bytes = settings_.log_bytes;
  return service;
}

void LocalServices::start(const ServicePlan& plan) const {
  const auto name = service_name(plan.name);
  if (!supervisor_.is_linked(name)) supervisor_.write(service_of(plan));
  supervisor_.start({name}, kStart);
}

void LocalServices::prepare(const ServicePlan& plan) const { prepare(service_of(plan)); }

void LocalServices::prepare(const Service& service) const {
  supervisor_.write(service);
  replace_symlink(layout_.scan() / service.name, layout_.service(service.name));
}

void LocalServices::stop(const ServiceName& name) const { supervisor_.stop(service_name(name)); }

void LocalServices::signal(const ServiceName& name, int number) const {
  if (const auto pid = supervisor_.status(service_name(name)).pid; pid != 0) ::kill(pid, number);
}

void LocalServices::kill(const ServiceName& name) const { supervisor_.kill(service_name(name)); }

bool LocalServices::remove(const ServiceName& name) const {
  if (!is_directory(layout_.service(service_name(name)))) return true;
  if (!supervisor_.remove({service_name(name)}).empty()) return false;
  if (const auto cgroups = Cgroups::recorded(layout_.cgroup())) cgroups->remove(group_of(name));
  return true;
}

std::vector<ServiceName> LocalServices::names() const {
  std::vector<ServiceName> found;
  for (const auto& service : supervisor_.services()) {
    if (!service.starts_with(kPrefix) || std::count(service.begin(), service.end(), '.') != 1) continue;
    found.push_back(ServiceName::parse(service.substr(kPrefix.size())));
  }
  return found;
}

std::optional<ServerStatus> LocalServices::inspect(const ServiceName& name) const {
  if (!is_directory(layout_.service(service_name(name)))) return std::nullopt;
  const auto status = supervisor_.status(service_name(name));
  return ServerStatus{status.up, status.wanted_up, status.since, status.deaths, status.last_exit, status.backing_off};
}

std::uint64_t LocalServices::memory(const ServiceName& name) const {
  const auto pid = supervisor_.status(service_name(name)).pid;
  if (pid == 0) return 0;
  if (const auto cgroups = Cgroups::recorded(layout_.cgroup())) {
    if (const auto group = cgroups->usage(group_of(name))) return group->memory;
  }
  return measure_trees({pid}).at(pid).memory;
}

bool LocalServices::limits_processors() const {
  const auto cgroups = Cgroups::recorded(layout_.cgroup());
  const auto controllers = cgroups ? cgroups->controllers() : std::vector<std::string>{};
  return std::ranges::find(controllers, "cpu") != controllers.end();
}

std::unique_ptr<LogStream> LocalServices::logs(const ServiceName& name) const {
  const auto directory = layout_.backing_service_log(name);
  const auto sources = [name, directory] {
    return is_directory(directory) ? std::vector<LocalLogs::Source>{{name.str(), directory}}
                                   : std::vector<LocalLogs::Source>{};
  };
  return std::make_unique<LocalLogs>(LocalLogs::Places{directory, sources, longest_log_record(settings_.log_bytes)});
}

std::vector<std::string> LocalServices::last_output(const ServiceName& name) const {
  constexpr Milliseconds kLoggerDeadline{1'000};
  constexpr std::size_t kLines = 20;
  await_logged(layout_.service(service_name(name)), kLoggerDeadline);
  return last_log_lines(layout_.backing_service_log(name), kLines);
}

Command LocalServices::tool(const ServiceTool& tool) const {
  auto sandbox = sandbox_of(tool.name);
  if (tool.data) {
    sandbox.mounts.push_back({*tool.data, kServiceData, true});
    sandbox.directory = kServiceData;
  }
  sandbox.environment = tool.environment;
  sandbox.argv = tool.argv;
  return sandbox_command(sandbox);
}

}  // namespace pushrod
