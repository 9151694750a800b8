// File first, then the running HAProxy: what each call of the public header does, in order.
// How a reload goes is in reload.cc.
#include "router/router.hh"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <thread>

#include "base/error.hh"
#include "base/text.hh"
#include "os/clock.hh"
#include "os/file_lock.hh"
#include "os/files.hh"
#include "router/changes.hh"
#include "router/files.hh"
#include "router/haproxy_config.hh"
#include "router/hold_script.hh"
#include "router/master_socket.hh"
#include "router/reload.hh"

namespace pushrod {

namespace {

MasterSocket master_of(const Layout& layout) { return MasterSocket(layout.router()); }

FileLock lock_router(const Layout& layout) {
  make_directory(layout.locks());
  return FileLock::acquire(layout.router_lock());
}

// What the current worker has loaded and where it sends requests.
struct Observed {
  WorkerInfo info;
  std::vector<std::string> backends;
  std::vector<ServerState> servers;
  Modes modes;
};

// The tables come last: without the end of theirs an answer is seen to be cut.
const std::string kShowModes = fmt::format("show map {}", kModesFile);

std::optional<Observed> observe(const MasterSocket& master) {
  const auto answer = master.ask_current(kShowModes + "; show info; show backend; show servers state");
  if (!answer) return {};
  return Observed{parse_info(*answer), parse_backends(*answer), parse_servers(*answer), parse_modes(*answer)};
}

// Says the batches; `observed` then has the servers and modes as they are after the last one.
void change(const MasterSocket& master, const std::vector<std::string>& commands, Observed& observed,
            std::vector<std::string>& evidence) {
  for (const auto& batch : in_batches(commands)) {
    const auto answer = master.ask_current(fmt::format("{}; {}; show servers state", batch, kShowModes));
    if (!answer) throw Error("HAProxy ended while its servers were being changed");
    for (auto& line : complaints(*answer)) evidence.push_back(std::move(line));
    observed.servers = parse_servers(*answer);
    observed.modes = parse_modes(*answer);
  }
}

std::vector<std::string> changes_to(const RoutingTable& table, const Observed& observed) {
  return changes_to(table, observed.servers, observed.modes);
}

// All workers: those that a reload left behind, too.
std::vector<std::string> ask_all(const MasterSocket& master, std::string_view question) {
  const auto processes = master.processes();
  if (!processes) return {};
  auto pids = processes->workers;
  pids.insert(pids.end(), processes->old_workers.begin(), processes->old_workers.end());
  std::vector<std::string> answers;
  for (const pid_t pid : pids) {
    if (auto answer = master.ask(pid, question)) answers.push_back(std::move(*answer));
  }
  return answers;
}

// By instance, of all workers together.
std::map<std::string, RequestFigures> ask_for_figures(const MasterSocket& master) {
  std::map<std::string, RequestFigures> all;
  for (const auto& answer : ask_all(master, "show stat -1 4 -1")) {
    for (const auto& [server, figures] : parse_requests(answer)) {
      if (!server.starts_with(kBackendPrefix)) continue;
      auto instance = server.substr(kBackendPrefix.size());
      std::replace(instance.begin(), instance.end(), '/', '.');
      all[instance].in_flight += figures.in_flight;
      all[instance].served += figures.served;
    }
  }
  return all;
}

}  // namespace

Router::Router(Layout layout, Settings settings) : layout_(std::move(layout)), settings_(std::move(settings)) {}

void Router::prepare(const RoutingTable& table) const {
  const auto lock = lock_router(layout_);
  remove_leftovers(layout_.router());
  install_files(layout_.router(), render(settings_, table), table);
}

Command Router::command() const {
  Command command;
  command.argv = {"haproxy", "-W",
                  "-C",      layout_.router().string(),
                  "-f",      kConfigFile,
                  "-p",      kProcessFile,
                  "-S",      fmt::format("unix@{},mode,600", kMasterSocket)};
  return command;
}

void Router::apply(const RoutingTable& table) const {
  const auto lock = lock_router(layout_);
  const auto rendering = render(settings_, table);
  install_files(layout_.router(), rendering, table);

  const auto master = master_of(layout_);
  auto observed = observe(master);
  if (!observed) return;  // it will start with this file
  if (observed->info.description != rendering.mark) {
    reload_into(master, rendering.mark, layout_.service_log("router"));
    observed = observe(master);
    if (!observed) return;
  }
  std::vector<std::string> evidence;
  auto commands = changes_to(table, *observed);
  // Once more for what a restart in between undid.
  for (int attempt = 0; attempt < 2 && !commands.empty(); ++attempt) {
    change(master, commands, *observed, evidence);
    commands = changes_to(table, *observed);
  }
  if (commands.empty()) {
    remove_old_pages(layout_.router(), table);
    return;
  }
  Error error(fmt::format("HAProxy does not do what it was told: {}", commands.front()),
              fmt::format("see its log in {}", layout_.service_log("router").string()));
  error.set_evidence(std::move(evidence));
  throw error;
}

bool Router::serves(const RoutingTable& table) const {
  const auto observed = observe(master_of(layout_));
  return observed && observed->info.description == render(settings_, table).mark &&
         changes_to(table, *observed).empty();
}

std::map<std::string, unsigned> Router::requests_in_flight() const {
  std::map<std::string, unsigned> requests;
  for (const auto& [instance, figures] : ask_for_figures(master_of(layout_))) requests[instance] = figures.in_flight;
  return requests;
}

std::map<std::string, std::uint64_t> Router::requests_served() const {
  std::map<std::string, std::uint64_t> requests;
  for (const auto& [instance, figures] : ask_for_figures(master_of(layout_))) requests[instance] = figures.served;
  return requests;
}

std::map<std::string, Idleness> Router::idleness() const {
  std::map<std::string, Idleness> apps;
  for (const auto& answer : ask_all(master_of(layout_), "show stat -1 2 -1")) {
    for (const auto& [backend, activity] : parse_activity(answer)) {
      if (!backend.starts_with(kBackendPrefix)) continue;
      auto& app = apps[backend.substr(kBackendPrefix.size())];
      app.open += activity.open;
      if (activity.idle_for) {
        const std::chrono::seconds seconds{*activity.idle_for};
        app.idle_for = app.idle_for ? std::min<Milliseconds>(*app.idle_for, seconds) : seconds;
      }
    }
  }
  return apps;
}

std::map<std::string, std::vector<std::string>> Router::observed() const {
  const auto observed = observe(master_of(layout_));
  if (!observed) return {};
  std::map<std::string, std::vector<std::string>> servers;
  for (const auto& backend : observed->backends) {
    if (backend.starts_with(kBackendPrefix)) servers[backend.substr(kBackendPrefix.size())];
  }
  for (const auto& server : observed->servers) {
    if (!server.backend.starts_with(kBackendPrefix) || !server.gets_requests()) continue;
    servers[server.backend.substr(kBackendPrefix.size())].push_back(server.name);
  }
  for (auto& [app, names] : servers) std::sort(names.begin(), names.end());
  return servers;
}

void Router::forget(const std::vector<InstanceName>& instances) const {
  if (instances.empty()) return;
  std::set<std::string> unwanted;
  for (const auto& instance : instances) unwanted.insert(backend_name(instance.app) + "/" + server_name(instance));

  const auto lock = lock_router(layout_);
  const auto master = master_of(layout_);
  auto observed = observe(master);
  if (!observed) return;
  std::vector<std::string> evidence;
  const Deadline deadline(Milliseconds{2'000});
  while (true) {
    std::vector<std::string> commands;
    for (const auto& server : observed->servers) {
      if (!unwanted.contains(server.backend + "/" + server.name)) continue;
      for (auto& command : removal_of(server)) commands.push_back(std::move(command));
    }
    if (commands.empty()) return;
    if (deadline.passed()) {
      Error error(fmt::format("HAProxy does not let go of a server: {}", commands.back()));
      error.set_evidence(std::move(evidence));
      throw error;
    }
    evidence.clear();
    change(master, commands, *observed, evidence);
    // Sessions that were told to end do so a moment later; then `del server` works.
    if (!evidence.empty()) std::this_thread::sleep_for(Milliseconds{2});
  }
}

std::vector<pid_t> Router::silent_processes(Milliseconds at_most) const {
  const auto master = master_of(layout_);
  const auto question = master.ask_once("show proc\n", at_most);
  if (question.is_silent) return master.all_processes();
  if (question.answer.empty()) return {};
  const auto processes = parse_processes(question.answer);
  auto workers = processes.workers;
  workers.insert(workers.end(), processes.old_workers.begin(), processes.old_workers.end());
  std::erase_if(workers, [&](pid_t worker) {
    return !master.ask_once(fmt::format("@!{} show info\n", worker), at_most).is_silent;
  });
  return workers;
}

bool Router::is_running() const {
  const auto processes = master_of(layout_).processes();
  return processes && !processes->workers.empty();
}

}  // namespace pushrod
