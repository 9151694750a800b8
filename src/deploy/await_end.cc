// Waiting until instances have ended.
#include "deploy/await_end.hh"

#include <thread>

namespace pushrod {

namespace {
constexpr Milliseconds kEndPause{5};  // s6 does not tell when a service has ended
}  // namespace

std::vector<InstanceName> await_end(Engine& engine, std::vector<InstanceName> names, Milliseconds at_most) {
  const Deadline deadline(at_most);
  while (!(names = engine.remove(names)).empty() && !deadline.passed()) std::this_thread::sleep_for(kEndPause);
  return names;
}

}  // namespace pushrod
