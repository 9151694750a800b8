// Where services (databases) run: the third narrow interface below deploying, beside engine.hh and ingress.hh. It knows
// processes, directories and sockets, and nothing of types: services/ has those.
//
// Calls are idempotent, functions are const, and any thread or process may make them. One rule holds: the caller of
// start(), stop(), kill() and remove() holds Layout::service_lock(), so that no two servers ever work on one data
// directory.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/logs.hh"
#include "model/exit_status.hh"
#include "model/process.hh"
#include "model/service.hh"
#include "os/command.hh"

namespace pushrod {

// Directories in the sandbox of a server and its tools.
inline constexpr const char* kServiceData = "/data";
inline constexpr const char* kServiceSocket = "/socket";

// All that it takes to run one server. It gets Layout::service_data() as /data and Layout::service_socket() as /socket.
struct ServicePlan {
  ServiceName name;
  std::vector<std::string> argv;  // argv[0] is a path
  Environment environment{};
  Limits limits{};
  int stop_signal = 15;               // which every process of the server gets
  Milliseconds stop_timeout{60'000};  // from it to SIGKILL
  int second_stop_signal = 0;         // after half of that time; 0: none
};

// A program of the server's package, run to its end beside the server: in a sandbox with the same /socket.
struct ServiceTool {
  ServiceName name;
  std::vector<std::string> argv;
  Environment environment;
  std::optional<std::filesystem::path> data{};  // becomes /data, writable; the server must not run on it
};

// A port of this machine, on 127.0.0.1 alone, that leads to a service's socket, and runs beside the service.
struct PortForwarder {
  ServiceName service;
  Port port = 0;
  std::string socket{};  // its name in /socket
  bool operator==(const PortForwarder&) const = default;
};

struct ServerStatus {
  bool up = false;
  bool wanted_up = false;  // by the supervisor
  Milliseconds since{0};
  unsigned restarts = 0;  // ends since it was started
  std::optional<ExitStatus> last_exit{};
  Milliseconds retry_in{0};  // it ended again and again, and is held back for so long
};

class ServiceEngine {
 public:
  ServiceEngine() = default;
  ServiceEngine(const ServiceEngine&) = delete;
  ServiceEngine& operator=(const ServiceEngine&) = delete;
  virtual ~ServiceEngine() = default;

  // Starts it, unless it is there already; returns when it has been started, not when it answers.
  virtual void start(const ServicePlan& plan) const = 0;
  // Its stop signal now, SIGKILL after its stop timeout, no restart. Returns at once.
  virtual void stop(const ServiceName& name) const = 0;
  virtual void signal(const ServiceName& name, int number) const = 0;
  virtual void kill(const ServiceName& name) const = 0;
  // Removes the renderings of one that has ended. False while it runs.
  virtual bool remove(const ServiceName& name) const = 0;
  // Every service that exists here, also one that the database does not know.
  virtual std::vector<ServiceName> names() const = 0;
  virtual std::optional<ServerStatus> inspect(const ServiceName& name) const = 0;  // absent: it is not there
  virtual std::uint64_t memory(const ServiceName& name) const = 0;                 // bytes, of all its processes
  virtual bool limits_processors() const = 0;  // otherwise Limits::cpu_percent is not enforced here
  virtual std::unique_ptr<LogStream> logs(const ServiceName& name) const = 0;
  virtual std::vector<std::string> last_output(const ServiceName& name) const = 0;  // raw lines, oldest first
  // Starts it, unless it is there already.
  virtual void forward(const PortForwarder& forwarder) const = 0;
  // Ends it, with its connections. False while it runs: say it again.
  virtual bool end_forwarding(const PortForwarder& forwarder) const = 0;
  virtual std::vector<PortForwarder> forwarders() const = 0;  // without the names of sockets
  // The command ends with the calling process.
  virtual Command tool(const ServiceTool& tool) const = 0;
};

}  // namespace pushrod
