// Whether instances work now, by what costs little to ask: their locks, their back-off and their ports.
#include "engine/local/local_engine.hh"
#include "os/accepting_ports.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kProbeDeadline{200};  // of an app whose queue of connections is full
constexpr std::size_t kOutputLines = 40;

}  // namespace

std::vector<InstanceCondition> LocalEngine::conditions(const std::vector<Instance>& instances) const {
  std::vector<InstanceCondition> found;
  found.reserve(instances.size());
  const auto ports = accepting_ports();
  const auto accepts = [&](Port port) {
    return ports ? ports->contains(port) : accepts_connections(port, kProbeDeadline);
  };
  for (const auto& instance : instances) {
    InstanceCondition one{instance.name, Condition::Down, Milliseconds{0}};
    const auto liveness = supervisor_.liveness(instance.name.str());
    if (liveness.backing_off > Milliseconds{0}) {
      one.condition = Condition::Crashing;
      one.retry_in = liveness.backing_off;
    } else if (liveness.up) {
      one.condition = !instance.port || accepts(*instance.port) ? Condition::Running : Condition::Starting;
    }
    found.push_back(one);
  }
  return found;
}

std::vector<std::string> LocalEngine::last_output(const InstanceName& name) const {
  return last_log_lines(layout_.instance_log(name), kOutputLines);
}

}  // namespace pushrod
