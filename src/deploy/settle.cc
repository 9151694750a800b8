// Undoing and finishing deployments, from the database alone.
#include "deploy/settle.hh"

#include <algorithm>

#include "deploy/app_directories.hh"
#include "deploy/aside.hh"
#include "deploy/attempt.hh"
#include "deploy/await_end.hh"
#include "deploy/control.hh"
#include "deploy/kept_build.hh"
#include "deploy/placement.hh"
#include "deploy/plans.hh"
#include "deploy/traffic.hh"
#include "git/repository.hh"
#include "os/file_lock.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kUndoDeadline{10'000};

std::vector<Instance> instances_of(const Platform& platform, const Deployment& deployment, InstanceState state) {
  auto instances = platform.store.instances(deployment.app_id);
  std::erase_if(instances, [&](const Instance& instance) {
    return instance.state != state || (state == InstanceState::Starting && instance.name.release != deployment.number);
  });
  return instances;
}

// An app that moves to a branch which is not there makes it, at the commit that it runs.
void name_branch(const Platform& platform, const Deployment& deployment) {
  const auto app = platform.store.app(deployment.app_id);
  if (rules_of(deployment.kind).ref != RefChange::Create || !app) return;
  const Repository repository(platform.layout.repo(app->repo));
  if (!repository.head_of(app->branch)) repository.move_branch(app->branch, deployment.commit.value(), {});
}

}  // namespace

bool is_committed(const Platform& platform, const Deployment& deployment) {
  if (deployment.state == DeploymentState::Committed) return true;
  if (deployment.state != DeploymentState::Ready) return false;
  // A rollback to a release of the same commit moves nothing: once it is ready, it may as well be finished.
  const auto app = platform.store.app(deployment.app_id);
  if (!moves_ref(deployment.kind) || !app) return false;
  return Repository(platform.layout.repo(app->repo)).head_of(app->branch) == deployment.commit;
}

void finish(const Platform& platform, std::int64_t group, const std::function<void()>& on_live) {
  const auto deployments = platform.store.group(group);
  const bool were_stopped = std::ranges::any_of(
      deployments, [&](const Deployment& deployment) { return is_aside(platform.layout, deployment.app_id); });
  platform.store.together([&] {
    platform.store.commit_group(group);
    if (were_stopped) platform.store.release_standby(group);  // there is nothing that could serve again
    platform.store.follow_attachments(group);
    platform.store.set_holding(group, false);
    platform.store.begin_step(group, Step::Switch);
  });
  publish_routes(platform);
  for (const auto& deployment : deployments) {
    if (const auto renaming = renaming_of(deployment)) move_directories(platform.layout, *renaming);
    name_branch(platform, deployment);
    end_aside(platform.layout, deployment);
    if (const auto app = platform.store.app(deployment.app_id)) place_checkouts(platform, *app);
  }
  // Last: who is killed before it leaves a deployment that is settled, and so all of this is done again.
  platform.store.together([&] {
    platform.store.advance(group, DeploymentState::Live);
    if (on_live) on_live();
  });
}

// Without the key to their settings, or a directory of the machine, they cannot be started: the rest is undone
// nevertheless. That is not told of those that run on: why the deployment failed may be the same.
std::vector<InstancePlan> plans_to_start_again(const Platform& platform, const App& app,
                                               const std::vector<Instance>& serving) {
  std::vector<InstancePlan> plans;
  const auto plan = [&] { plans = plan_instances(platform, app, serving); };
  std::vector<InstanceName> names;
  for (const auto& instance : serving) names.push_back(instance.name);
  const auto found = platform.engine.inspect(names);
  if (found.size() < names.size() || !std::ranges::all_of(found, &InstanceStatus::up)) {
    attempt("starting again what " + app.name.str() + " ran", plan);
    return plans;
  }
  try {
    plan();
  } catch (const Error&) {
    return {};
  }
  return plans;
}

void undo(const Platform& platform, std::int64_t group, const Failure& why) {
  bool held = false;
  for (const auto& deployment : platform.store.group(group)) {
    std::vector<InstanceName> names;
    for (const auto& instance : instances_of(platform, deployment, InstanceState::Starting))
      names.push_back(instance.name);
    platform.engine.kill(names);
    await_end(platform, names, kUndoDeadline);
    for (const auto& name : names) platform.store.remove_instance(name);
    const auto app = platform.store.app(deployment.app_id);
    if (!app) continue;
    undo_aside(platform, *app, deployment);
    const auto plans = plans_to_start_again(platform, *app, instances_of(platform, deployment, InstanceState::Serving));
    platform.engine.start(plans);
    // Requests that wait meet an app that accepts them, if it ever does.
    if (deployment.holds) platform.engine.await_healthy(plans, -1);
    held = held || deployment.holds;
    if (const auto renaming = renaming_of(deployment)) unlink_directories(platform.layout, *renaming);
    platform.store.remove_release(app->id, deployment.number);
    keep_build(platform.layout, app->name, deployment.number);
    place_checkouts(platform, *app);
  }
  platform.store.together([&] {
    platform.store.undo_attachments(group);
    platform.store.fail(group, why);
  });
  if (held) publish_routes(platform);
}

void settle(const Platform& platform, std::int64_t group, const Failure& why) {
  const auto deployments = platform.store.group(group);
  if (deployments.empty() || is_final(deployments.front().state)) return;
  if (is_committed(platform, deployments.front())) {
    finish(platform, group);
    wake_daemon(platform);
  } else {
    undo(platform, group, why);
  }
}

void settle_killed(const Platform& platform, std::int64_t group) {
  settle(platform, group,
         {DeploymentState::Failed, "interrupted: the process that deployed it was killed", "push again, or redeploy"});
  remove_file(platform.layout.group_lock(group));
}

std::vector<Deployment> interrupted_deployments(const Platform& platform, const std::set<AppId>& apps) {
  auto found = platform.store.unfinished_deployments();
  std::erase_if(found, [&](const Deployment& deployment) {
    return !apps.contains(deployment.app_id) || deployment.state == DeploymentState::Waiting ||
           lock_holder(platform.layout.group_lock(deployment.group));
  });
  return found;
}

}  // namespace pushrod
