// This machine's supervision tree as a whole: what `up` starts, `stop` ends, and the watchdog watches. Its instances
// are the business of local_engine.hh.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/local/local_ingress.hh"
#include "model/layout.hh"
#include "model/settings.hh"
#include "os/clock.hh"
#include "os/command.hh"
#include "supervise/supervise.hh"

namespace pushrod {

class LocalTree {
 public:
  // `programs`: the directory of pushrod and pushrod-shim.
  LocalTree(const Layout& layout, const std::filesystem::path& programs);

  bool is_running() const;

  // --- Before the tree runs.
  // Ends what an earlier tree has left running; returns how many services. Throws Error when they do not end.
  unsigned end_orphans(Milliseconds deadline) const;
  // What sandboxes need: a subtree of cgroups where an init system has given us one, and what they see in /etc.
  void prepare_sandboxes() const;
  // The router, with what it starts with.
  void prepare_router(const LocalIngress& ingress, const std::vector<TrafficTarget>& targets) const;
  // One of Pushrod's own programs ("sshd", "daemon").
  void prepare_program(const std::string& name, const Command& command) const;
  // The router's sockets, which the program that `up` becomes inherits. Throws SystemError.
  std::vector<int> open_listeners(const Settings& settings) const;
  // The arguments of the program that `up` becomes. It runs `own_program` under the name of the signal that is to stop
  // the tree.
  std::vector<std::string> prepare_scan(const std::filesystem::path& own_program) const;

  // --- While it runs.
  // Tells a program to end; returns at once.
  void stop(const std::string& name) const;
  // The same, and then what the program has started and what would live on without it.
  void stop_with_children(const std::string& name, Milliseconds deadline) const;
  // Stops everything, the router first, which finishes the requests in flight. Returns when the tree has been told.
  void stop_all() const;

  // --- For the watchdog.
  // 0 when it is down.
  pid_t pid_of(const std::string& name) const;
  // Services that lack their supervisor at this moment. One that was killed is back after a second.
  std::vector<std::string> unsupervised() const;
  // Makes the tree start supervisors that it has forgotten.
  void start_forgotten() const;
  // Those processes of the router that are stopped by a signal. The master, whose workers end with it, comes first and
  // brings them all.
  std::vector<pid_t> stopped_of_router() const;
  // Those that run, but do not answer within `at_most` each.
  std::vector<pid_t> silent_of_router(const Settings& settings, Milliseconds at_most) const;

 private:
  void prepare(Service service, const Command& command, bool keep_listeners) const;

  Layout layout_;
  Supervisor supervisor_;
};

}  // namespace pushrod
