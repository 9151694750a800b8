// The start and health steps: new instances beside the old ones.
// Types that may not run twice (overlap = false) come last: when all others are healthy, their old instances
// stop, then the new ones start (of the web type: requests wait meanwhile). If these fail, undoing starts the old ones
// again.
#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/control.hh"
#include "deploy/instances.hh"
#include "deploy/narration.hh"
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

void start_all(Run& run, const std::vector<InstancePlan>& plans) {
  if (plans.empty()) return;
  check_cancelled(run.cancel_fd);
  run.platform.engine.start(plans);
  run.journal.now_doing("waiting for " + awaited(plans));
  // While the instances start: the flushes of a transaction take about as long as a small program's start.
  if (rules_of(run.change.kind).ref == RefChange::Advance && !run.ref_mover)
    run.ref_mover = run.repository.prepare_move();
  auto recorded = std::async(std::launch::async, [&run] { run.platform.store.begin_step(run.group, Step::Health); });
  const auto failure = run.platform.engine.await_healthy(plans, run.cancel_fd);
  recorded.get();
  if (failure) {
    speak_of(run, failure->name.app);
    UserError error(fmt::format("{} {}", failure->name.str(), failure->reason), failure->hint);
    error.set_evidence(failure->output);
    throw error;
  }
}

// Stops the serving instances of the types and waits until they are gone; their rows stay as they are, so that undoing
// (or the reconciler after a crash) starts them again.
void stop_old(Run& run, const Part& part, const std::vector<InstancePlan>& replaced_by) {
  std::vector<InstanceName> names;
  Milliseconds longest{0};
  for (const auto& instance : run.platform.store.instances(part.app.id)) {
    const bool replaced = std::any_of(replaced_by.begin(), replaced_by.end(), [&](const InstancePlan& plan) {
      return plan.name.type == instance.name.type;  // the app may get another name
    });
    const bool kept = std::find(part.kept.begin(), part.kept.end(), instance.name) != part.kept.end();
    if (!replaced || kept || instance.state == InstanceState::Starting) continue;
    names.push_back(instance.name);
    longest = std::max(longest, processes_of(run.platform, part.app, {instance}).front().stop_timeout);
  }
  run.platform.engine.stop(names);
  run.journal.now_doing("waiting for the old instances to end");
  const auto left = await_end(run.platform.engine, names, longest + Milliseconds{5'000});
  if (!left.empty()) throw Error(fmt::format("{} does not end", left.front().str()));
}

// The releases, and leased ports for what is to run them: one record of intent.
void record(Run& run) {
  const auto& settings = run.platform.settings;
  const bool is_fallback = rules_of(run.change.kind).watch == WatchRule::FallsBack;
  run.platform.store.begin_step(run.group, Step::Start);
  for (auto& part : run.parts) {
    if (!part.release) continue;
    run.platform.store.add_release(*part.release);
    if (!runs_after(run.change.kind, part.app.stopped)) continue;
    for (const auto& instance : run.platform.store.add_instances(*part.release, part.kept, settings.first_port,
                                                                 settings.last_port, is_port_free)) {
      part.instances.push_back(plan_instance(run.platform, *part.release, instance));
      // What a fallback starts again has run before, and requests may wait for it.
      if (is_fallback) part.instances.back().process.health.settle = Milliseconds{0};
    }
  }
}

std::string described(const Run& run) {
  std::vector<std::string> names;
  for (const auto& part : run.parts) {
    const auto prefix = run.parts.size() > 1 ? part.app.name.str() + "." : std::string{};
    for (const auto& plan : part.instances) {
      names.push_back(fmt::format("{}{}.{}", prefix, plan.name.type.str(), plan.name.number));
    }
  }
  return join(names, ", ");
}

// An app that asks for a limit shall not think that it has one.
void tell_limits_not_kept(Run& run) {
  for (const auto& part : run.parts) {
    const auto shortcomings = run.platform.engine.limits_not_kept(part.instances);
    if (shortcomings.empty()) continue;
    run.journal.line(fmt::format("limits of {}: {} on this machine; `pushrod doctor` tells why", part.app.name.str(),
                                 join(shortcomings, ", ")));
  }
}

std::vector<InstancePlan> select(const Part& part, bool overlap) {
  std::vector<InstancePlan> plans;
  for (const auto& plan : part.instances) {
    if (plan.process.overlap == overlap) plans.push_back(plan);
  }
  return plans;
}

}  // namespace

void start(Run& run) {
  run.platform.store.together([&] { record(run); });
  std::vector<InstancePlan> together;
  for (const auto& part : run.parts) {
    const auto plans = select(part, true);
    together.insert(together.end(), plans.begin(), plans.end());
  }
  if (const auto names = described(run); !names.empty()) run.journal.begin("Starting " + names, "starting " + names);
  start_all(run, together);
  tell_limits_not_kept(run);
  for (const auto& part : run.parts) {
    const auto plans = select(part, false);
    if (plans.empty()) continue;
    if (std::any_of(plans.begin(), plans.end(), [](const auto& plan) { return plan.process.is_routed(); })) {
      hold_requests(run, part);
    }
    stop_old(run, part, plans);
    start_all(run, plans);
  }
  run.journal.end();
}

}  // namespace pushrod
