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
#include "router/listeners.hh"
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
  Maps maps;
  MapEntries certificates;
  std::vector<ServerState> servers;
};

// The servers come last: without the end of their table an answer is seen to be cut.
const std::string kShowState = fmt::format(
    "show map {}; show map {}; show map {}; show map {}; show map {}; show ssl crt-list {}; show servers state",
    kHostsFile, kSlotsFile, kModesFile, kHttpFile, kErrorsFile, kCertificateList);

// A table without rows: the end of an answer of which only the complaints count.
constexpr std::string_view kEndOfAnswer = "show servers state unknown-host";

std::optional<Observed> observe(const MasterSocket& master) {
  const auto answer = master.ask_current("show info; " + kShowState);
  if (!answer) return {};
  return Observed{parse_info(*answer), parse_maps(*answer), parse_certificate_list(*answer), parse_servers(*answer)};
}

// Says the batches; `observed` then has the servers and maps as they are after the last one.
void change(const MasterSocket& master, const std::vector<std::string>& commands, Observed& observed,
            std::vector<std::string>& evidence) {
  const auto batches = in_batches(commands);
  for (std::size_t at = 0; at < batches.size(); ++at) {
    const bool is_last = at + 1 == batches.size();
    const auto answer = master.ask_current(fmt::format("{}; {}", batches[at], is_last ? kShowState : kEndOfAnswer));
    if (!answer) throw Error("HAProxy ended while it was being changed");
    for (auto& line : complaints(*answer)) evidence.push_back(std::move(line));
    auto servers = parse_servers(*answer);
    if (!is_last) continue;
    observed.servers = std::move(servers);
    observed.maps = parse_maps(*answer);
    observed.certificates = parse_certificate_list(*answer);
  }
}

std::vector<std::string> changes_to(const Rendering& rendering, const Observed& observed) {
  auto commands = changes_to(rendering, observed.servers, observed.maps);
  for (auto& command : certificate_removals(rendering.certificates, observed.certificates)) {
    commands.push_back(std::move(command));
  }
  return commands;
}

bool has_all_certificates(const Rendering& rendering, const Observed& observed) {
  return std::all_of(rendering.certificates.begin(), rendering.certificates.end(),
                     [&](const auto& file) { return observed.certificates.contains(file.first); });
}

Rendering render_for(const fs::path& directory, const Settings& settings, const RoutingTable& table) {
  return render(settings, table, assign_slots(table, installed_slots(directory)));
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
      const auto slash = server.find('/');
      if (!is_slot(server) || slash == server.npos) continue;
      const auto instance = server.substr(slash + 1);
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
  // After power loss, what an earlier router had may be there with a part of its content.
  remove_tree(layout_.router());
  make_directory(layout_.router());
  install_files(layout_.router(), render(settings_, table, assign_slots(table, {})));
}

Command Router::command() const {
  Command command;
  command.environment = bind_to_listeners();
  // Two threads wait for each other to write the log: where apps leave them no processors of their own, that costs more
  // than the second one gains.
  command.environment["PUSHROD_THREADS"] = std::thread::hardware_concurrency() > 2 ? "2" : "1";
  // Or glibc gives the memory of buffers back to the kernel between requests, which costs a tenth of the router's time.
  command.environment["MALLOC_TRIM_THRESHOLD_"] = "16777216";
  command.argv = {"haproxy", "-W",
                  "-C",      layout_.router().string(),
                  "-f",      kConfigFile,
                  "-p",      kProcessFile,
                  "-S",      fmt::format("unix@{},mode,600", kMasterSocket)};
  return command;
}

void Router::apply(const RoutingTable& table) const {
  const auto lock = lock_router(layout_);
  const auto rendering = render_for(layout_.router(), settings_, table);
  install_files(layout_.router(), rendering);

  const auto master = master_of(layout_);
  auto observed = observe(master);
  if (!observed) return;  // it will start with this file
  if (observed->info.description != rendering.mark) {
    reload_into(master, rendering.mark, layout_.service_log("router"));
    observed = observe(master);
    if (!observed) return;
  }
  add_certificates(master, layout_.router(), rendering.certificates, observed->certificates);
  std::vector<std::string> evidence;
  auto commands = changes_to(rendering, *observed);
  // Once more for what a restart in between undid.
  for (int attempt = 0; attempt < 2 && !commands.empty(); ++attempt) {
    change(master, commands, *observed, evidence);
    commands = changes_to(rendering, *observed);
  }
  if (commands.empty()) {
    remove_old_pages(layout_.router(), rendering);
    remove_old_certificates(layout_.router(), rendering.certificates);
    return;
  }
  Error error(fmt::format("HAProxy did not carry out a command: {}", commands.front()),
              fmt::format("see its log in {}", layout_.service_log("router").string()));
  error.set_evidence(std::move(evidence));
  throw error;
}

void Router::rotate_ticket_keys(Milliseconds least_age) const {
  std::error_code none;
  const auto made = fs::last_write_time(layout_.router() / kTicketKeys, none);
  if (!settings_.https || none || fs::file_time_type::clock::now() - made < least_age) return;
  const auto lock = lock_router(layout_);
  const auto key = pushrod::rotate_ticket_keys(layout_.router());
  master_of(layout_).ask_current(fmt::format("set ssl tls-key {} {}", kTicketKeys, key));
}

bool Router::serves(const RoutingTable& table) const {
  const auto observed = observe(master_of(layout_));
  if (!observed) return false;
  const auto rendering = render_for(layout_.router(), settings_, table);
  return observed->info.description == rendering.mark && has_all_certificates(rendering, *observed) &&
         changes_to(rendering, *observed).empty();
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
  // An old worker may know another app's traffic under a slot; then an app looks busier than it is for a while.
  std::map<std::string, std::string> app_of_slot;
  for (const auto& [name, slot] : installed_slots(layout_.router()).of_apps) {
    if (const auto app = app_of_routed_name(name)) app_of_slot.emplace(slot, app->str());
  }
  std::map<std::string, Idleness> apps;
  for (const auto& answer : ask_all(master_of(layout_), "show stat -1 2 -1")) {
    for (const auto& [backend, activity] : parse_activity(answer)) {
      const auto owner = app_of_slot.find(std::string(slot_of(backend)));
      if (owner == app_of_slot.end()) continue;
      auto& app = apps[owner->second];
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
  for (const auto& [name, slot] : observed->maps.slots) {
    const auto app = app_of_routed_name(name);
    if (!app) continue;
    auto& names = servers[app->str()];
    for (const auto& server : observed->servers) {
      if (server.backend == slot_of(slot) && server.gets_requests()) names.push_back(server.name);
    }
    std::sort(names.begin(), names.end());
  }
  return servers;
}

void Router::forget(const std::vector<InstanceName>& instances) const {
  if (instances.empty()) return;
  std::set<std::string> unwanted;
  for (const auto& instance : instances) unwanted.insert(instance.str());

  const auto lock = lock_router(layout_);
  const auto master = master_of(layout_);
  auto observed = observe(master);
  if (!observed) return;
  std::vector<std::string> evidence;
  const Deadline deadline(Milliseconds{2'000});
  while (true) {
    std::vector<std::string> commands;
    for (const auto& server : observed->servers) {
      if (!is_slot(server.backend) || !unwanted.contains(server.name)) continue;
      for (auto& command : removal_of(server)) commands.push_back(std::move(command));
    }
    if (commands.empty()) return;
    if (deadline.passed()) {
      Error error(fmt::format("HAProxy did not delete a server: {}", commands.back()));
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
