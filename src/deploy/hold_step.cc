// Holding requests while an app changes in a way that they must not meet.
// A flag of the deployment's row says it, so that routes follow from the database alone: it ends with the
// commit, when the deployment is undone, or when a killed deployment is settled.
#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/error.hh"
#include "deploy/await_end.hh"
#include "deploy/control.hh"
#include "deploy/held_jobs.hh"
#include "deploy/plans.hh"
#include "deploy/steps.hh"
#include "deploy/traffic.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kPause{10};  // HAProxy does not tell when a request has ended

void stop_instances(Run& run, const Part& part) {
  auto instances = run.platform.store.instances(part.app.id);
  std::erase_if(instances, [](const Instance& one) { return one.state == InstanceState::Starting; });
  std::vector<InstanceName> names;
  for (const auto& one : instances) names.push_back(one.name);
  Milliseconds longest{0};
  for (const auto& process : processes_of(run.platform, part.app, instances)) {
    longest = std::max(longest, process.stop_timeout);
  }
  run.platform.engine.stop(names);
  const auto left = await_end(run.platform, names, longest + Milliseconds{5'000});
  if (!left.empty()) throw Error(fmt::format("instance {} does not stop", left.front().str()), "try again");
}

}  // namespace

void hold_requests(Run& run, const Part& part) {
  auto routed = run.platform.store.instances(part.app.id);
  std::erase_if(routed, [](const Instance& instance) {
    return !instance.port || (instance.state != InstanceState::Serving && instance.state != InstanceState::Asleep);
  });
  if (routed.empty()) return;
  run.platform.store.set_holding(run.group, true);
  publish_routes(run.platform);
  Milliseconds longest{0};
  for (const auto& process : processes_of(run.platform, part.app, routed)) {
    longest = std::max(longest, process.drain_timeout);
  }
  run.journal.now_doing("waiting for the requests in flight to end");
  // Twice: a request that the router was just taking when it was told is counted a moment later.
  const Deadline deadline(longest);
  for (unsigned quiet = 0; quiet < 2 && !deadline.passed();
       quiet = have_requests(run.platform, routed) ? 0 : quiet + 1) {
    check_cancelled(run.cancel_fd);
    std::this_thread::sleep_for(kPause);
  }
}

void end_writers(Run& run, const Part& part) {
  run.journal.now_doing("waiting for jobs to end");
  await_end_of_jobs(run.platform, {part.app.id}, kJobsMayTake, run.cancel_fd);
  // Also of an app without instances: no job begins from now on.
  run.platform.store.set_holding(run.group, true);
  hold_requests(run, part);
  await_end_of_jobs(run.platform, {part.app.id}, kLateJobsMayTake, run.cancel_fd);
  stop_instances(run, part);
}

}  // namespace pushrod
