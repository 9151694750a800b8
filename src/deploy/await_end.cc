// Waiting until instances have ended.
#include "deploy/await_end.hh"

#include <algorithm>
#include <thread>

namespace pushrod {

namespace {
constexpr Milliseconds kEndPause{5};  // s6 does not tell when a service has ended
}  // namespace

std::vector<InstanceName> remove_ended(const Platform& platform, const std::vector<InstanceName>& names) {
  auto left = platform.engine.remove(names);
  auto gone = names;
  std::erase_if(gone, [&](const auto& name) { return std::find(left.begin(), left.end(), name) != left.end(); });
  platform.ingress.forget(gone);
  return left;
}

std::vector<InstanceName> await_end(const Platform& platform, std::vector<InstanceName> names, Milliseconds at_most) {
  const Deadline deadline(at_most);
  while (!(names = remove_ended(platform, names)).empty() && !deadline.passed()) {
    std::this_thread::sleep_for(kEndPause);
  }
  return names;
}

}  // namespace pushrod
