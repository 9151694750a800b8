// What to tell the author of an instance that is not healthy: what the machine sees of it (its sockets, how it ended),
// then what its output says (diagnosis/).
#include "engine/local/failure_hint.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hh"
#include "diagnosis/diagnosis.hh"
#include "model/source.hh"
#include "os/listeners.hh"

namespace pushrod {

namespace {

FailedProgram failed_program(const InstancePlan& plan, const ServiceStatus& status,
                             const std::vector<std::string>& output) {
  FailedProgram failed;
  failed.stage = Stage::Instance;
  failed.app = plan.name.app.str();
  failed.output = output;
  failed.code = plan.source.path.empty() ? plan.checkout.tree() : plan.checkout.tree() / plan.source.path;
  failed.directory = directory_in_sandbox(plan.source);
  for (const auto& [name, value] : plan.environment) failed.variables.insert(name);
  failed.port = plan.port;
  failed.limits = plan.process.limits;
  failed.type = plan.name.type.str();
  if (const auto& end = status.last_exit) {
    if (end->kind == ExitStatus::Kind::Exited) failed.exit_code = end->number;
    if (end->kind == ExitStatus::Kind::Signalled) failed.signal = to_string(*end);
    failed.out_of_memory = end->kind == ExitStatus::Kind::OutOfMemory;
  }
  return failed;
}

std::string joined_addresses(const std::vector<Listener>& listeners) {
  std::vector<std::string> addresses;
  for (const auto& listener : listeners) addresses.push_back(escaped(listener.address, 120));
  return join(addresses, ", ");
}

// For a type of which only the author knows whether it should run all the time: "console", "migrate".
std::string how_not_to_run(const InstancePlan& plan) {
  const auto& type = plan.name.type.str();
  return fmt::format(
      "if {0} is not meant to run all the time, give it no instances: scale {1} {0}=0, or in pushrod.toml "
      "[processes.{0}] count = 0",
      type, plan.name.app.str());
}

}  // namespace

std::string hint_from_listeners(Port port, const std::vector<Listener>& listeners) {
  if (listeners.empty()) {
    return fmt::format("it does not listen on any port: a web process must listen on $PORT ({})", port);
  }
  const auto on_port =
      std::find_if(listeners.begin(), listeners.end(), [&](const Listener& listener) { return listener.port == port; });
  if (on_port == listeners.end()) {
    return fmt::format("it listens on {}, not on $PORT ({})", joined_addresses(listeners), port);
  }
  const bool reachable = std::any_of(listeners.begin(), listeners.end(), [&](const Listener& listener) {
    return listener.port == port && listener.takes_127_0_0_1;
  });
  // It accepts too slowly, or only IPv6 connections on [::].
  if (reachable && !on_port->address.starts_with("[::]")) return {};
  return fmt::format("it listens on {}, which connections to 127.0.0.1 do not reach: listen on 0.0.0.0 or 127.0.0.1",
                     escaped(on_port->address, 120));
}

std::string explain_unhealthy(const InstancePlan& plan, const ServiceStatus& status, bool answered,
                              const std::vector<std::string>& output) {
  const auto failed = failed_program(plan, status, output);
  const bool died = status.deaths > 0;
  // Its sockets are facts. Its output may be about something else, so it comes second. Those of a supervisor such as
  // pm2 say nothing of the server that it starts again and again.
  std::string by_sockets;
  if (!died && !answered && plan.port && status.pid != 0) {
    const auto listeners = listeners_of(status.pid);
    by_sockets = hint_from_listeners(*plan.port, listeners);
    const bool is_server =
        std::any_of(listeners.begin(), listeners.end(), [](const auto& each) { return each.port != 0; });
    if (is_server && !by_sockets.empty()) return by_sockets;
  }
  const bool is_routed = plan.process.is_routed();
  if (died && failed.exit_code == 0 && !is_routed) {
    return "it ended without an error, and a process must stay in the foreground; " + how_not_to_run(plan);
  }
  if (auto hint = diagnose(failed); !hint.empty()) return hint;
  if (died && failed.exit_code && !is_routed) return how_not_to_run(plan);
  if (!by_sockets.empty()) return by_sockets;
  if (answered && plan.process.health.path) {
    return fmt::format("the answer to GET {} must be 2xx or 3xx: see health.path of [processes.{}]",
                       *plan.process.health.path, plan.name.type.str());
  }
  if (died && failed.exit_code == 0) {
    return "it ended without an error: a process must stay in the foreground for as long as its app runs";
  }
  return {};
}

}  // namespace pushrod
