#include "engine/local/local_tree.hh"

#include <csignal>

#include "os/files.hh"
#include "os/process_tree.hh"
#include "router/access_log.hh"
#include "router/listeners.hh"
#include "sandbox/cgroup.hh"
#include "sandbox/sandbox.hh"
#include "sandbox/shim_spec.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kRouterStop{20'000};
constexpr Milliseconds kProgramStop{5'000};

// Where an init system gave us a subtree of cgroups, instances are limited by it; elsewhere by what each process may
// do.
void take_cgroups(const Layout& layout) {
  const auto cgroups = Cgroups::take(Cgroups::own_group());
  if (!cgroups) {
    remove_file(layout.cgroup());
    return;
  }
  cgroups->remove_all("app.");
  cgroups->remove_all("build.");
  cgroups->record(layout.cgroup());
}

}  // namespace

LocalTree::LocalTree(const Layout& layout, const std::filesystem::path& programs)
    : layout_(layout), supervisor_(layout, programs) {}

bool LocalTree::is_running() const { return supervisor_.is_running(); }

unsigned LocalTree::end_orphans(Milliseconds deadline) const { return supervisor_.end_orphans(deadline); }

void LocalTree::prepare_sandboxes() const {
  take_cgroups(layout_);
  write_sandbox_etc(layout_.sandbox_etc());
}

void LocalTree::prepare(Service service, const Command& command, bool keep_listeners) const {
  service.spec = render_exec_spec(command.argv, command.environment, keep_listeners);
  service.log_directory = layout_.service_log(service.name);
  supervisor_.write(service);
  replace_symlink(layout_.scan() / service.name, layout_.service(service.name));
}

void LocalTree::prepare_router(const LocalIngress& ingress, const std::vector<TrafficTarget>& targets) const {
  Service router;
  router.name = "router";
  router.stop_signal = SIGUSR1;
  router.stop_timeout = kRouterStop;
  router.log_branch = LogBranch{std::string(kAccessMark), layout_.access_log(), {"aborting Lua processing"}};
  prepare(std::move(router), ingress.prepare(targets), true);
}

void LocalTree::prepare_program(const std::string& name, const Command& command) const {
  Service program;
  program.name = name;
  program.stop_signal = SIGTERM;
  program.stop_timeout = kProgramStop;
  prepare(std::move(program), command, false);
}

std::vector<std::string> LocalTree::prepare_scan(const std::filesystem::path& own_program) const {
  return supervisor_.prepare_scan(own_program);
}

void LocalTree::stop(const std::string& name) const { supervisor_.stop(name); }

void LocalTree::stop_with_children(const std::string& name, Milliseconds deadline) const {
  supervisor_.stop_with_children(name, deadline);
}

std::vector<int> LocalTree::open_listeners(const Settings& settings) const { return pushrod::open_listeners(settings); }

void LocalTree::stop_all() const {
  shut_listeners();
  supervisor_.stop_tree();
}

pid_t LocalTree::pid_of(const std::string& name) const { return supervisor_.status(name).pid; }

std::vector<std::string> LocalTree::unsupervised() const { return supervisor_.unsupervised(); }

void LocalTree::start_forgotten() const { supervisor_.start_forgotten(); }

std::vector<pid_t> LocalTree::stopped_of_router() const {
  const auto master = pid_of("router");
  if (master == 0) return {};
  auto all = children_of(master);
  all.insert(all.begin(), master);
  if (is_stopped(master)) return all;
  std::erase_if(all, [](pid_t pid) { return !is_stopped(pid); });
  return all;
}

std::vector<pid_t> LocalTree::silent_of_router(const Settings& settings, Milliseconds at_most) const {
  return Router(layout_, settings).silent_processes(at_most);
}

}  // namespace pushrod
