// When a watched release counts as failing.
#include "model/watch.hh"

#include <csignal>
#include <map>

namespace pushrod {

namespace {

constexpr unsigned kKeepsEnding = 2;

bool counts(const WatchedInstance& instance) {
  if (instance.deaths >= kKeepsEnding) return true;
  if (instance.deaths == 0 || instance.last_exit == ExitStatus::signalled(SIGKILL)) return false;
  return instance.routed || instance.last_exit != ExitStatus::exited(0);
}

}  // namespace

const WatchedInstance* failing_instance(const std::vector<WatchedInstance>& instances) {
  std::map<std::string, bool> has_all_ended;
  for (const auto& instance : instances) {
    if (instance.deaths >= kKeepsEnding) return &instance;
    const auto type = has_all_ended.emplace(instance.type, true).first;
    type->second = type->second && counts(instance);
  }
  for (const auto& instance : instances) {
    if (has_all_ended.at(instance.type)) return &instance;
  }
  return nullptr;
}

}  // namespace pushrod
