// The start and health steps: new instances beside the old ones.
// Types that may not run twice (overlap = false) come last: when all others are healthy, their old instances
// stop, then the new ones start (of the web type: requests wait meanwhile). If these fail, undoing starts the old ones
// again.
#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/await_end.hh"
#include "deploy/control.hh"
#include "deploy/narration.hh"
#include "deploy/plans.hh"
#include "deploy/steps.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// "web.1 to accept connections on port 21034, worker.1 to stay up".
std::string awaited(const std::vector<InstancePlan>& plans) {
  constexpr std::size_t kNamed = 4;
  std::vector<std::string> waits;
  for (const auto& plan : plans) {
    if (waits.size() == kNamed) {
      waits.push_back(fmt::format("and {} more", plans.size() - kNamed));
      break;
    }
    const auto name = fmt::format("{}.{}", plan.name.type.str(), plan.name.number);
    if (!plan.port) {
      waits.push_back(name + " to stay up");
    } else if (plan.process.health.path) {
      waits.push_back(fmt::format("{} to answer GET {} on port {}", name, *plan.process.health.path, *plan.port));
    } else {
      waits.push_back(fmt::format("{} to accept connections on port {}", name, *plan.port));
    }
  }
  return join(waits, ", ");
}

// One app, its release and the instances that it is to have beside those that go on.
struct ToStart {
  const Part& part;
  const NewRelease& made;
  std::vector<InstancePlan> plans;

  std::vector<InstancePlan> select(bool overlap) const {
    std::vector<InstancePlan> selected;
    for (const auto& plan : plans) {
      if (plan.process.overlap == overlap) selected.push_back(plan);
    }
    return selected;
  }
};

void start_all(Run& run, const std::vector<InstancePlan>& plans, Started& started) {
  if (plans.empty()) return;
  check_cancelled(run.cancel_fd);
  run.platform.engine.start(plans);
  run.journal.now_doing("waiting for " + awaited(plans));
  // While the instances start: the flushes of a transaction take about as long as a small program's start.
  if (rules_of(run.change.kind).ref == RefChange::Advance && !started.ref_mover) {
    started.ref_mover = run.repository.prepare_move();
  }
  auto recorded = std::async(std::launch::async, [&run] { run.platform.store.begin_step(run.group, Step::Health); });
  const auto failure = run.platform.engine.await_healthy(plans, run.cancel_fd);
  recorded.get();
  if (failure) {
    speak_of(run, failure->name.app);
    UserError error(fmt::format("{} {}", failure->name.str(), failure->reason), failure->hint);
    error.set_evidence(failure->output);
    throw error;
  }
  started.instances.insert(started.instances.end(), plans.begin(), plans.end());
}

// Stops the serving instances of the types and waits until they are gone; their rows stay as they are, so that undoing
// (or the reconciler after a crash) starts them again.
void stop_old(Run& run, const ToStart& one, const std::vector<InstancePlan>& replaced_by) {
  std::vector<InstanceName> names;
  Milliseconds longest{0};
  for (const auto& instance : run.platform.store.instances(one.part.app.id)) {
    const bool replaced = std::any_of(replaced_by.begin(), replaced_by.end(), [&](const InstancePlan& plan) {
      return plan.name.type == instance.name.type;  // the app may get another name
    });
    const bool kept = std::find(one.made.kept.begin(), one.made.kept.end(), instance.name) != one.made.kept.end();
    if (!replaced || kept || instance.state == InstanceState::Starting) continue;
    names.push_back(instance.name);
    longest = std::max(longest, processes_of(run.platform, one.part.app, {instance}).front().stop_timeout);
  }
  run.platform.engine.stop(names);
  run.journal.now_doing("waiting for the old instances to end");
  const auto left = await_end(run.platform, names, longest + Milliseconds{5'000});
  if (!left.empty()) throw Error(fmt::format("instance {} does not stop", left.front().str()), "try again");
}

std::vector<InstancePlan> plan_new(const Run& run, const NewRelease& made) {
  const auto& settings = run.platform.settings;
  std::vector<InstancePlan> plans;
  for (const auto& instance : run.platform.store.add_instances(made.release, made.kept, settings.first_port,
                                                               settings.last_port, is_port_free)) {
    plans.push_back(plan_instance(run.platform, made.release, instance));
    // What a fallback starts again has run before, and requests may wait for it.
    if (rules_of(run.change.kind).watch == WatchRule::FallsBack) plans.back().process.health.settle = Milliseconds{0};
  }
  return plans;
}

// The releases, and leased ports for what is to run them: one record of intent.
std::vector<ToStart> record(const Run& run, const NewReleases& releases) {
  std::vector<ToStart> to_start;
  run.platform.store.begin_step(run.group, Step::Start);
  for (const auto& part : run.parts) {
    const auto found = releases.find(part.app.id);
    if (found == releases.end()) continue;
    const auto& made = found->second;
    run.platform.store.add_release(made.release);
    if (runs_after(run.change.kind, part.app.stopped)) to_start.push_back({part, made, plan_new(run, made)});
  }
  return to_start;
}

std::string described(const Run& run, const std::vector<ToStart>& to_start) {
  std::vector<std::string> names;
  for (const auto& one : to_start) {
    const auto prefix = run.parts.size() > 1 ? one.part.app.name.str() + "." : std::string{};
    for (const auto& plan : one.plans) {
      names.push_back(fmt::format("{}{}.{}", prefix, plan.name.type.str(), plan.name.number));
    }
  }
  return join(names, ", ");
}

// An app whose limits cannot be enforced here is told so.
void tell_limits_not_kept(Run& run, const std::vector<ToStart>& to_start) {
  for (const auto& one : to_start) {
    const auto shortcomings = run.platform.engine.limits_not_kept(one.plans);
    if (shortcomings.empty()) continue;
    run.journal.line(fmt::format("limits of {}: {} on this machine; `pushrod doctor` tells why",
                                 one.part.app.name.str(), join(shortcomings, ", ")));
  }
}

// What may not run twice: the old instances end first.
void replace(Run& run, const ToStart& one, Started& started) {
  const auto plans = one.select(false);
  if (plans.empty()) return;
  if (std::any_of(plans.begin(), plans.end(), [](const auto& plan) { return plan.process.is_routed(); })) {
    hold_requests(run, one.part);
  }
  stop_old(run, one, plans);
  start_all(run, plans, started);
}

}  // namespace

Started start(Run& run, const NewReleases& releases) {
  std::vector<ToStart> to_start;
  run.platform.store.together([&] { to_start = record(run, releases); });
  std::vector<InstancePlan> together;
  for (const auto& one : to_start) {
    const auto plans = one.select(true);
    together.insert(together.end(), plans.begin(), plans.end());
  }
  if (const auto names = described(run, to_start); !names.empty()) {
    run.journal.begin("Starting " + names, "starting " + names);
  }
  for (const auto& one : to_start) run.platform.engine.provide(one.plans);
  Started started;
  start_all(run, together, started);
  tell_limits_not_kept(run, to_start);
  for (const auto& one : to_start) replace(run, one, started);
  run.journal.end();
  return started;
}

}  // namespace pushrod
