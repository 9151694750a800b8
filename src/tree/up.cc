// up: prepares the root directory, then becomes s6-svscan.
// Everything under run/ but the locks is rendered anew from the database and the settings.
#include "tree/up.hh"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.hh"
#include "base/text.hh"
#include "config/settings_file.hh"
#include "deploy/aside.hh"
#include "deploy/attempt.hh"
#include "deploy/plans.hh"
#include "deploy/traffic.hh"
#include "engine/local/local_tree.hh"
#include "engine/local/machine.hh"
#include "git/repository.hh"
#include "os/file_lock.hh"
#include "os/files.hh"
#include "os/socket.hh"
#include "os/standard_output.hh"
#include "os/stop_signal.hh"
#include "services/ports.hh"
#include "services/services.hh"
#include "ssh/sshd.hh"
#include "tree/tools.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kOrphanDeadline{15'000};

// Without enough descriptors for its connections, the router could not even be told of changes once they are all open.
// Returns the line for the tree's own settings; empty when there are enough.
std::string limit_connections(Settings& settings) {
  const auto [descriptors, most] = connection_limit();
  if (settings.connections <= most) return {};
  if (most < settings.connections / 2) {
    print(fmt::format(
        "Note: {} connections at a time instead of {}, because Pushrod may have {} files open: raise LimitNOFILE= of "
        "its service, or ulimit -Hn.\n",
        most, settings.connections, descriptors));
  }
  settings.connections = most;
  return fmt::format("connections = {}\n", most);
}

void apply_request(Context& context, const UpRequest& request) {
  // The file itself, not what an earlier tree was told.
  auto settings = load_settings(context.layout().settings());
  if (!request.http.empty()) settings.http = parse_listen_address(request.http);
  if (!request.ssh.empty()) {
    settings.ssh = parse_listen_address(request.ssh);
    settings.ssh_enabled = true;
  }
  if (request.no_ssh) settings.ssh_enabled = false;
  const auto connections = limit_connections(settings);
  // What counts for as long as the tree runs, whatever server.toml says meanwhile: the command line, and where the tree
  // listens and its apps are found.
  const auto text = fmt::format(
      "[http]\nlisten = \"{}\"\ndomain = \"{}\"\n{}[ssh]\nenabled = {}\nlisten = \"{}\"\n"
      "[ports]\nfirst = {}\nlast = {}\n",
      settings.http.str(), settings.domain, connections, settings.ssh_enabled, settings.ssh.str(), settings.first_port,
      settings.last_port);
  parse_settings(text, "the command line");
  write_file(context.layout().listen_addresses(), text, 0600, false);
  context.set_settings(std::move(settings));
}

void prepare_directories(const Layout& layout) {
  for (const auto& directory : {layout.repos(), layout.checkouts(), layout.releases(), layout.cache(), layout.logs(),
                                layout.run(), layout.locks(), layout.hooks(), layout.services(), layout.scan(),
                                layout.router(), layout.sshd(), layout.ssh(), layout.trash(), layout.sandbox_etc()}) {
    make_directory(directory);
  }
}

// What an earlier tree left in run/ is of no use; only the locks must stay, since a process may hold one.
void clear_renderings(const Layout& layout) {
  remove_tree(layout.scan());
  remove_tree(layout.services());
}

// After a stop of the tree nothing that was draining or on standby is left. A release that was watched is live; one
// that was failing still falls back.
void forget_ended_instances(Store& store) {
  for (const auto& watch : store.watches()) {
    if (!watch.is_failing()) store.end_watch(watch.group);
  }
  for (const auto& instance : store.instances()) {
    if (instance.state == InstanceState::Draining || instance.state == InstanceState::Stopping ||
        instance.state == InstanceState::Standby) {
      store.remove_instance(instance.name);
    }
  }
}

// One app that cannot be started (a setting that cannot be opened) keeps no other from it.
void prepare_instances(const Platform& platform, const LocalEngine& engine) {
  std::map<AppId, std::vector<Instance>> serving;
  for (auto& instance : platform.store.instances()) {
    if (instance.state == InstanceState::Serving) serving[instance.app_id].push_back(instance);
  }
  for (const auto& app : platform.store.apps()) {
    if (is_aside(platform.layout, app.id)) continue;  // the daemon first brings its state back
    attempt("preparing " + app.name.str(),
            [&] { engine.prepare_services(plan_instances(platform, app, serving[app.id])); });
  }
}

void prepare_repos(const Platform& platform, const std::filesystem::path& program) {
  for (const char* hook : {"pre-receive", "proc-receive"}) replace_symlink(platform.layout.hooks() / hook, program);
  for (const auto& repo : platform.store.repos()) {
    Repository::create(platform.layout.repo(repo), platform.layout.hooks(), platform.settings);
  }
}

void prepare_own_services(const Platform& platform, const LocalTree& tree, const LocalIngress& ingress,
                          const std::filesystem::path& program) {
  const auto& layout = platform.layout;
  tree.prepare_router(ingress, traffic_targets(platform));

  Command daemon;
  daemon.argv = {program.string(), "--root", layout.root().string(), "serve"};
  tree.prepare_program("daemon", daemon);

  write_authorized_keys(layout, platform.store.keys(), program);
  if (!platform.settings.ssh_enabled) return;
  ensure_host_key(layout);
  write_file(layout.sshd() / "sshd_config", render_sshd_config(layout, platform.settings.ssh), 0600, false);
  tree.prepare_program("sshd", sshd_command(layout));
}

// The tree would try again and again, and only a log would say so.
void check_can_listen(const std::string& what, const ListenAddress& address) {
  const int problem = listen_problem(address.host, address.port);
  if (problem == 0) return;
  const auto message = fmt::format("cannot listen for {} on {}: {}", what, address.str(),
                                   problem == EADDRINUSE ? "another program listens there" : std::strerror(problem));
  const std::string elsewhere =
      fmt::format("choose another address: --{0} ADDR:PORT, or [{0}] listen in server.toml", what);
  throw UserError(message, problem == EACCES
                               ? "ports below 1024 need CAP_NET_BIND_SERVICE (docs/install.md); or " + elsewhere
                               : elsewhere);
}

// A few hundred instances make a few thousand files and processes in one supervision tree.
void raise_limits() {
  for (const auto resource : {RLIMIT_NOFILE, RLIMIT_NPROC}) {
    rlimit limit = {};
    if (getrlimit(resource, &limit) != 0) continue;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(resource, &limit);
  }
}

// A terminal sends Ctrl-C to its whole foreground process group, and s6-supervise ends at once on it, without a
// graceful stop of what it supervises. So the tree gets a group of its own, and we stay, to pass on what the terminal
// wants.
int run_below_terminal(Command tree) {
  tree.die_with_parent = false;
  const int stop_fd = stop_signal_fd();
  static_cast<void>(signal(SIGHUP, [](int) { raise(SIGTERM); }));  // the terminal was closed
  auto child = ChildProcess::start(tree, -1, STDOUT_FILENO, STDERR_FILENO);
  pollfd events[] = {{child.event_fd(), POLLIN, 0}, {stop_fd, POLLIN, 0}};
  while (poll(events, 2, -1) <= 0 || events[0].revents == 0) {
    if (events[1].revents == 0) continue;
    print("\nStopping: requests in flight are finished first.\n");
    child.signal(SIGTERM);
    events[1].fd = -1;
  }
  return child.wait(Milliseconds{0})->code;
}

}  // namespace

int up(Context& context, const UpRequest& request) {
  const auto& layout = context.layout();
  const auto program = own_program();
  make_directory(layout.run());
  const auto lock = FileLock::try_acquire(layout.tree_lock());
  if (!lock) throw UserError(fmt::format("another `pushrod up` is starting on {}", quoted(layout.root().string())));
  const LocalTree tree(layout, program.parent_path());
  if (tree.is_running()) {
    throw UserError(fmt::format("Pushrod is running already on {}", quoted(layout.root().string())),
                    "stop that one first, or choose another --root");
  }
  apply_request(context, request);
  require_tools();
  check_sandboxes();

  prepare_directories(layout);
  if (const auto orphans = tree.end_orphans(kOrphanDeadline); orphans > 0) {
    print(fmt::format("Ended {} of an earlier tree.\n", counted(orphans, "service")));
  }
  check_can_listen("http", context.settings().http);
  if (context.settings().https) check_can_listen("https", *context.settings().https);
  if (context.settings().ssh_enabled) check_can_listen("ssh", context.settings().ssh);
  clear_renderings(layout);
  prepare_directories(layout);
  tree.prepare_sandboxes();

  const auto platform = context.platform();
  forget_ended_instances(platform.store);
  prepare_repos(platform, program);
  for (const auto& plan : plans_to_start(platform.services())) context.local_engine().services().prepare(plan);
  for (const auto& port : ports_to_open(platform.services())) context.local_engine().services().prepare(port);
  prepare_instances(platform, context.local_engine());
  prepare_own_services(platform, tree, context.local_ingress(), program);
  raise_limits();

  const auto& settings = context.settings();
  print(fmt::format("Pushrod is up on {}\n  http  {}  (apps answer as <app>.{})\n  ssh   {}\n", layout.root().string(),
                    settings.http.str(), settings.domain, settings.ssh_enabled ? settings.ssh.str() : "off"));
  Command scan;
  scan.argv = tree.prepare_scan(program);
  scan.inherit = tree.open_listeners(settings);
  if (is_terminal(STDIN_FILENO)) return run_below_terminal(std::move(scan));
  replace_process(scan);
}

}  // namespace pushrod
