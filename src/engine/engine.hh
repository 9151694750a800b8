// Where instances run: the narrow interface between deploying and running.
// Engine/local runs them on this machine; another engine (Docker Swarm) goes behind the same interface. All
// calls are idempotent: after a crash the caller says the same again. Not thread-safe; several processes may use one
// each, at the same time, for different instances.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/layout.hh"
#include "model/release.hh"
#include "model/traffic.hh"
#include "os/clock.hh"
#include "os/command.hh"

namespace pushrod {

// All that it takes to run one instance.
struct InstancePlan {
  InstanceName name;
  Process process;
  std::optional<Port> port;
  std::map<Port, Port> ports;  // further ones, by the number in Process::ports
  Checkout checkout;
  Source source;                                   // which part of the checkout is /app, and where commands run in it
  std::map<std::string, std::string> environment;  // complete
  WritablePaths writable{};                        // directories of the release
};

struct InstanceStatus {
  InstanceName name;
  bool up = false;
  pid_t pid = 0;          // 0 when down
  Milliseconds since{0};  // in this state
  unsigned restarts = 0;
  std::string last_exit;  // "exit code 1"; empty when it never ended
};

// Whether an instance works now.
enum class Condition {
  Running,   // up; a routed one accepts connections
  Starting,  // up, and does not accept connections (yet)
  Down,      // not up: it has just ended, or the tree does not run
  Crashing,  // it ended again and again, and is held back until its next start
};
std::string_view to_string(Condition condition);  // "running", …
struct InstanceCondition {
  InstanceName name;
  Condition condition = Condition::Down;
  Milliseconds retry_in{0};  // Crashing: until the next start
};

// What an instance uses, all of its processes together.
struct InstanceUsage {
  InstanceName name;
  Milliseconds processor{0};   // since it was started
  std::uint64_t memory = 0;    // bytes
  std::uint64_t requests = 0;  // sent to it by a router that has not been reloaded since
};

// Why an instance is not healthy.
struct HealthFailure {
  InstanceName name;
  std::string reason;               // "exited with code 1 after 0.3 s", "did not accept … within 30 s"
  std::string hint;                 // what its author can do, as far as the evidence tells; else empty
  std::vector<std::string> output;  // all that it printed, raw lines, oldest first
};

// Which instances get the requests for which app.
struct TrafficTarget {
  AppName app;
  std::vector<std::string> hosts;
  std::vector<Instance> instances;  // routed ones; may be empty
  TrafficMode mode = TrafficMode::Serve;
  std::string page = {};  // its own page for Maintenance; empty: ours
  bool sticky = false;    // a client stays with its instance as long as that one is among `instances`
};

class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  // Throws UserError when instances cannot run now (the tree is not up), with what to do.
  virtual void check_ready() = 0;
  // Starts them all; returns when all have been started, not when they are healthy.
  virtual void start(const std::vector<InstancePlan>& plans) = 0;
  // Waits until all are healthy, or one cannot become so. cancel_fd: gives up when readable (throws UserError).
  virtual std::optional<HealthFailure> await_healthy(const std::vector<InstancePlan>& plans, int cancel_fd) = 0;
  // What is there, wanted or not.
  virtual std::vector<InstanceStatus> inspect() = 0;
  // These alone, as far as they are there.
  virtual std::vector<InstanceStatus> inspect(const std::vector<InstanceName>& names) = 0;
  // What clients and operators find of these instances now. Cheaper than inspect(): for lists of hundreds.
  // In the order of `instances`.
  virtual std::vector<InstanceCondition> conditions(const std::vector<Instance>& instances) = 0;
  // The last lines that an instance wrote, raw, oldest first.
  virtual std::vector<std::string> last_output(const InstanceName& name) = 0;
  // Of those that run.
  virtual std::vector<InstanceUsage> usage() = 0;
  // What of the limits of these plans does not hold here, or otherwise than it says: "cpu is not limited".
  virtual std::vector<std::string> limits_not_kept(const std::vector<InstancePlan>& plans) = 0;
  // Graceful end, without waiting: SIGTERM, SIGKILL after the stop timeout, no restart.
  virtual void stop(const std::vector<InstanceName>& names) = 0;
  virtual void kill(const std::vector<InstanceName>& names) = 0;
  // Removes what has ended, with its renderings; returns those that still run.
  virtual std::vector<InstanceName> remove(const std::vector<InstanceName>& names) = 0;

  // Prepares a job: a command that is started as a child of the caller's, with its descriptors, runs these words in the
  // plan's sandbox, passes signals on to everything in it, and ends as they do, last of all. `plan.process` names no
  // command. And what writes a job's output down, from its standard input. Both need nothing but this machine.
  virtual Command job(const InstancePlan& plan, const std::vector<std::string>& words) = 0;
  virtual Command job_log(const InstanceName& name) = 0;
  // Waits until nothing of an ended or abandoned job is left, and removes its renderings.
  virtual void forget_job(const InstanceName& name) = 0;

  // Makes this the whole truth about where requests go: every app that is to have a route must be in it.
  virtual void route(const std::vector<TrafficTarget>& targets) = 0;
  // Is that what the router does now?
  virtual bool is_routed(const std::vector<TrafficTarget>& targets) = 0;
  // By app; empty when the router does not run.
  virtual std::map<AppName, Idleness> idleness() = 0;
  // Requests in flight per instance that is out of the routes, or in them; absent: none.
  virtual std::map<InstanceName, unsigned> requests_in_flight() = 0;
};

}  // namespace pushrod
