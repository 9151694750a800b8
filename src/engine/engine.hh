// Where instances run: the narrow interface between deploying and running. Requests are the business of the other one,
// engine/ingress.hh. engine/local runs instances on this machine; another engine (Docker Swarm) goes behind the same
// interface.
//
// Calls are idempotent: after a crash the caller makes the same call again. An engine has no state of its own beyond
// what it was made from, so its functions are const, and any number of threads and processes may call it at the same
// time, on one object or on several. One rule holds: the caller of start() holds the app's lock. The tools that a call
// runs (s6's) have ended when it returns, and end with the calling thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/finding.hh"
#include "engine/logs.hh"
#include "engine/service_engine.hh"
#include "model/endpoint.hh"
#include "model/exit_status.hh"
#include "model/layout.hh"
#include "model/release.hh"
#include "os/clock.hh"
#include "os/command.hh"

namespace pushrod {

// How clients reach an app: the host name that they send, with a port unless it is the usual one.
struct PublicAddress {
  std::string host;
  bool is_https = false;
};

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
  ReleaseMounts mounts{};                          // directories of the checkout beside /app
  PublicAddress address{};                         // of the app, for a health check of a path
  std::vector<ServiceName> services{};             // whose sockets it sees
  HostDirectories directories{};                   // of the machine that it mounts
};

struct InstanceStatus {
  InstanceName name;
  bool up = false;
  pid_t pid = 0;                        // 0 when down
  Milliseconds since{0};                // in this state
  unsigned restarts = 0;                // how often it has ended since it was started; at most 100
  std::optional<ExitStatus> last_exit;  // absent when it never ended
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
  Milliseconds processor{0};  // since it was started
  std::uint64_t memory = 0;   // bytes
};

// Why an instance is not healthy.
struct HealthFailure {
  InstanceName name;
  std::string reason;               // "exited with code 1 after 0.3 s", "did not accept … within 30 s"
  std::string hint;                 // what its author can do, as far as the evidence tells; else empty
  std::vector<std::string> output;  // what it printed, as far as its log goes back: raw lines, oldest first
};

class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  // Throws UserError when instances cannot run now (the tree is not up), with what to do.
  virtual void check_ready() const = 0;
  // What instances need where they run, and whether it is there: for `doctor`.
  virtual std::vector<Finding> examine() const = 0;
  // Makes the built releases of these plans available where their instances will run, so that start() is quick. A
  // release stays available for as long as it has instances; start() provides one that is not.
  virtual void provide(const std::vector<InstancePlan>& plans) const = 0;
  // Starts them all; returns when all have been started, not when they are healthy.
  virtual void start(const std::vector<InstancePlan>& plans) const = 0;
  // Waits until all are healthy, or one cannot become so. cancel_fd: gives up when readable (throws Cancelled).
  virtual std::optional<HealthFailure> await_healthy(const std::vector<InstancePlan>& plans, int cancel_fd) const = 0;
  // Every instance that exists here, also one that the database does not know.
  virtual std::vector<InstanceStatus> inspect() const = 0;
  // Only these; one that does not exist is left out.
  virtual std::vector<InstanceStatus> inspect(const std::vector<InstanceName>& names) const = 0;
  // What clients and operators find of these instances now. Cheaper than inspect(): for lists of hundreds.
  // In the order of `instances`.
  virtual std::vector<InstanceCondition> conditions(const std::vector<Instance>& instances) const = 0;
  // Where the ingress reaches an instance, which must have a port.
  virtual Endpoint endpoint(const Instance& instance) const = 0;
  // What the app's instances and jobs have written. `process`: only those of this type ("web"), or this one ("web.2");
  // empty: all.
  virtual std::unique_ptr<LogStream> logs(const AppName& app, const std::string& process) const = 0;
  // The last lines that an instance wrote, raw, oldest first.
  virtual std::vector<std::string> last_output(const InstanceName& name) const = 0;
  // Of those that run.
  virtual std::vector<InstanceUsage> usage() const = 0;
  // The limits of these plans that this machine does not enforce, or enforces with another value: "cpu is not limited".
  virtual std::vector<std::string> limits_not_kept(const std::vector<InstancePlan>& plans) const = 0;
  // Graceful end, without waiting: SIGTERM, SIGKILL after the stop timeout, no restart.
  virtual void stop(const std::vector<InstanceName>& names) const = 0;
  // SIGKILL at once, no restart.
  virtual void kill(const std::vector<InstanceName>& names) const = 0;
  // Removes what has ended, with its renderings; returns those that still run. The ingress forgets the others next.
  virtual std::vector<InstanceName> remove(const std::vector<InstanceName>& names) const = 0;

  // The words for job() that run a line of shell where instances run.
  virtual std::vector<std::string> shell_words(const std::string& line) const = 0;
  // Prepares a job. The caller starts the returned command as a child with descriptors of its own. The command runs
  // these words in the plan's sandbox, passes signals on to everything in it, and ends as the words do, after
  // everything in the sandbox has ended. `plan.process` names no command.
  virtual Command job(const InstancePlan& plan, const std::vector<std::string>& words) const = 0;
  // The command that writes a job's output to its log, from its standard input.
  virtual Command job_log(const InstanceName& name) const = 0;
  // Waits until every process of an ended or abandoned job is gone, and removes its renderings. Throws Error when they
  // do not end within a few seconds.
  virtual void forget_job(const InstanceName& name) const = 0;
  // Databases and the like, beside the instances.
  virtual const ServiceEngine& services() const = 0;
  // Removes what is kept for an app beside its instances, all of which have ended: it is destroyed.
  virtual void forget_app(const AppName& app) const = 0;
};

}  // namespace pushrod
