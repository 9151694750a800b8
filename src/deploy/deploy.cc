// The pipeline: all steps in order, and the only place that undoes.
// Read deploy() from top to bottom: up to the commit point nothing that clients see changes, and any failure
// is undone; after it there is only forward.
#include "deploy/deploy.hh"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <future>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/app_directories.hh"
#include "deploy/attempt.hh"
#include "deploy/checkouts.hh"
#include "deploy/fallback.hh"
#include "deploy/instances.hh"
#include "deploy/kept_build.hh"
#include "deploy/steps.hh"
#include "git/tree_check.hh"
#include "os/files.hh"
#include "os/socket.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kUndoDeadline{10'000};

void open(Run& run) {
  std::vector<DeploymentRequest> requests;
  for (const auto& app : run.change.apps) {
    requests.push_back(
        {app.id, run.change.kind, run.change.commit, run.change.previous, run.change.author, run.change.detail});
  }
  // A row without a living owner is taken for an interrupted deployment, so nobody may look between these two.
  const auto begin = FileLock::acquire(run.platform.layout.begin_lock());
  std::vector<Deployment> deployments;
  run.platform.store.together([&] {
    if (run.change.on_begin) run.change.on_begin();
    deployments = run.platform.store.begin_deployments(requests);
  });
  run.group = deployments.front().group;
  run.locks.push_back(FileLock::acquire(run.platform.layout.group_lock(run.group)));
  run.locks.back().announce(fmt::format("deployment of {}", names_of(run)));
  for (const auto& app : run.change.apps) {
    const auto mine = std::find_if(deployments.begin(), deployments.end(),
                                   [&](const Deployment& deployment) { return deployment.app_id == app.id; });
    run.parts.push_back(
        {app, *mine, run.platform.layout.checkout(app.name, mine->number), {}, {}, false, {}, {}, {}, {}});
    run.journal.open_log(run.platform.layout.deployment_log(app.name, mine->number));
  }
}

std::vector<Instance> instances_of(const Platform& platform, const Deployment& deployment, InstanceState state) {
  auto instances = platform.store.instances(deployment.app_id);
  std::erase_if(instances, [&](const Instance& instance) {
    return instance.state != state || (state == InstanceState::Starting && instance.name.release != deployment.number);
  });
  return instances;
}

// Nothing of a failed deployment is left: its instances, its checkout, its release; and what it stopped is up again.
// Reads all it needs from the database, so that it works as well for a deployment of a process that is gone.
void undo(const Platform& platform, std::int64_t group, const Failure& why) {
  bool held = false;
  for (const auto& deployment : platform.store.group(group)) {
    std::vector<InstanceName> names;
    for (const auto& instance : instances_of(platform, deployment, InstanceState::Starting))
      names.push_back(instance.name);
    platform.engine.kill(names);
    await_end(platform.engine, names, kUndoDeadline);
    for (const auto& name : names) platform.store.remove_instance(name);
    const auto app = platform.store.app(deployment.app_id);
    if (!app) continue;
    // Without the key to their settings nobody can start them; the rest is undone all the same.
    std::vector<InstancePlan> plans;
    attempt("starting again what " + app->name.str() + " ran", [&] {
      plans = plan_instances(platform, *app, instances_of(platform, deployment, InstanceState::Serving));
    });
    platform.engine.start(plans);
    // Requests that wait meet an app that accepts them, if it ever does.
    if (deployment.holds) platform.engine.await_healthy(plans, -1);
    held = held || deployment.holds;
    if (const auto renaming = renaming_of(deployment)) unlink_directories(platform.layout, *renaming);
    platform.store.remove_release(app->id, deployment.number);
    keep_build(platform.layout, app->name, deployment.number);
    place_checkouts(platform, *app);
  }
  platform.store.fail(group, why);
  if (held) publish_routes(platform);
}

// An app that moves to a branch which is not there makes it, at the commit that it runs.
void name_branch(const Platform& platform, const Deployment& deployment) {
  const auto app = platform.store.app(deployment.app_id);
  if (rules_of(deployment.kind).ref != RefChange::Create || !app) return;
  const Repository repository(platform.layout.repo(app->repo));
  if (!repository.head_of(app->branch)) repository.move_branch(app->branch, deployment.commit.value(), {});
}

// Everything that is left to do after the commit point; each part may have been done already. `on_live`: see Change.
void finish(const Platform& platform, std::int64_t group, const std::function<void()>& on_live = {}) {
  platform.store.together([&] {
    platform.store.commit_group(group);
    platform.store.set_holding(group, false);
    platform.store.begin_step(group, Step::Switch);
  });
  publish_routes(platform);
  for (const auto& deployment : platform.store.group(group)) {
    if (const auto renaming = renaming_of(deployment)) move_directories(platform.layout, *renaming);
    name_branch(platform, deployment);
    if (const auto app = platform.store.app(deployment.app_id)) place_checkouts(platform, *app);
  }
  // Last: who is killed before it leaves a deployment that is settled, and so all of this is done again.
  platform.store.together([&] {
    platform.store.advance(group, DeploymentState::Live);
    if (on_live) on_live();
  });
}

// Did the deployment pass its commit point? For a change that moves the ref, the ref says so (I1).
bool is_committed(const Platform& platform, const Deployment& deployment) {
  if (deployment.state == DeploymentState::Committed) return true;
  if (deployment.state != DeploymentState::Ready) return false;
  // A rollback to a release of the same commit moves nothing: once it is ready, it may as well be finished.
  const auto app = platform.store.app(deployment.app_id);
  if (!moves_ref(deployment.kind) || !app) return false;
  return Repository(platform.layout.repo(app->repo)).head_of(app->branch) == deployment.commit;
}

// "blog: the build failed", where several apps are deployed together and the message does not name its own.
std::string with_subject(const Run& run, const std::string& message) {
  if (!run.subject || message.starts_with(run.subject->str())) return message;
  return fmt::format("{}: {}", run.subject->str(), message);
}

Failure failure_of(const Run& run, const Error& error) {
  Failure failure{is_cancelled(run) ? DeploymentState::Cancelled : DeploymentState::Failed,
                  run.journal.redacted(with_subject(run, error.message())), run.journal.redacted(error.hint())};
  const auto now = run.platform.store.group(run.group);
  if (!now.empty() && now.front().state == DeploymentState::Superseded) failure.state = DeploymentState::Superseded;
  return failure;
}

void tell_failure(Run& run, const Error& error) {
  auto& journal = run.journal;
  journal.abandon();
  const bool has_output = journal.evidence(error.evidence());
  journal.complaint(escaped(journal.redacted(error.message())));
  if (!error.hint().empty()) journal.complaint(escaped(journal.redacted(error.hint())));
  if (has_output) {
    const auto is_subject = [&](const Part& part) { return part.app.name == run.subject; };
    const auto found = std::find_if(run.parts.begin(), run.parts.end(), is_subject);
    const auto& part = found != run.parts.end() ? *found : run.parts.front();
    journal.complaint(fmt::format("all of it: logs {} --deployment {}", part.app.name.str(), part.deployment.number));
  }
  speak_of(run, {});
  for (const auto& part : run.parts) {
    if (!run.has_turn || !is_built(run.platform.layout.checkout(part.app.name, part.deployment.number))) continue;
    journal.complaint(
        fmt::format("The build of {} is kept: the next push of the same files uses it.", part.app.name.str()));
  }
  const bool several = run.change.apps.size() > 1;
  run.journal.complaint(
      rules_of(run.change.kind).ref == RefChange::Advance && !run.change.previous
          ? fmt::format("Nothing is deployed: {} {}.", names_of(run), several ? "are as they were" : "is as it was")
          : fmt::format("Nothing has changed: {} {} before.", names_of(run),
                        several ? "run what they ran" : "runs what it ran"));
}

// Before its turn a deployment has touched nothing, and somebody else may be at work on its apps.
void give_up(Run& run, const Failure& why) {
  if (why.state == DeploymentState::Superseded) return;     // the newer one has recorded that
  if (run.platform.store.group(run.group).empty()) return;  // its record went with its apps
  try {
    if (run.has_turn) {
      undo(run.platform, run.group, why);
    } else {
      run.platform.store.fail(run.group, why);
    }
  } catch (const std::exception& error) {
    run.journal.complaint(fmt::format("Undoing it stopped: {}", escaped(run.journal.redacted(error.what()))));
    run.journal.complaint("The rest is undone as soon as that is possible.");
  }
}

// The last words of the instance that kept ending stand in the log of the fallback.
void tell_why_it_falls_back(Run& run) {
  for (const auto& part : run.parts) {
    const auto watch = run.platform.store.watch(part.app.id);
    const auto name = watch ? InstanceName::from(watch->failure.substr(0, watch->failure.find(' '))) : std::nullopt;
    if (!name) continue;
    if (const auto failing = run.platform.store.release(part.app.id, watch->release)) hide_secrets(run, *failing);
    for (const auto& line : run.platform.engine.last_output(*name)) run.journal.output(line + "\n");
    return;  // it is the same for all of the group
  }
}

// What is pushed after a fallback begins where the branch fell back to.
void tell_earlier_fallbacks(Run& run) {
  for (const auto& part : run.parts) {
    if (const auto note = fallback_note(run.platform, part.app); !note.empty()) run.journal.line(escaped(note));
  }
}

bool announces_commit(const Run& run) {
  return rules_of(run.change.kind).announcement.find("{commit}") != std::string_view::npos;
}

void announce(Run& run, std::future<std::string>& subject) {
  const auto& rules = rules_of(run.change.kind);
  const auto& change = run.change;
  const auto what = escaped(change.detail);
  run.journal.headline(fmt::format(fmt::runtime(rules.announcement), fmt::arg("apps", names_of(run)),
                                   fmt::arg("branch", quoted(change.branch.str())),
                                   fmt::arg("commit", change.commit ? abbreviated(*change.commit) : ""),
                                   fmt::arg("subject", subject.valid() ? quoted(subject.get(), 60) : ""),
                                   fmt::arg("what", what), fmt::arg("detail", what.empty() ? "" : ": " + what)));
  if (announces_commit(run)) tell_earlier_fallbacks(run);
  if (rules.watch == WatchRule::FallsBack) tell_why_it_falls_back(run);
}

// "Release 7 of blog is live after 3.2 s: https://blog.example.org".
std::string live_message(const Run& run, const Part& part, const Stopwatch& time) {
  const auto& app = part.app.name.str();
  if (!runs_after(run.change.kind, part.app.stopped)) {
    return fmt::format("Release {} of {} is live, but the app is stopped: `start {}` runs it", part.deployment.number,
                       app, app);
  }
  const bool routed = std::any_of(part.instances.begin(), part.instances.end(),
                                  [](const InstancePlan& plan) { return plan.port.has_value(); });
  return fmt::format("Release {} of {} is live after {}{}{}", part.deployment.number, app,
                     format_duration(time.elapsed()), routed ? ": " : "",
                     routed ? url_of(run.platform, part.app.name) : "");
}

void tell_success(Run& run, const Stopwatch& time) {
  const auto text = rules_of(run.change.kind).success;
  for (const auto& part : run.parts) {
    const auto& name = run.change.new_name.value_or(part.app.name);
    run.journal.headline(text.empty() ? live_message(run, part, time)
                                      : fmt::format(fmt::runtime(text), fmt::arg("app", part.app.name.str()),
                                                    fmt::arg("new_name", name.str()),
                                                    fmt::arg("url", url_of(run.platform, name))));
  }
}

// git takes some milliseconds to tell it; it is wanted when the deployment has its turn.
std::future<std::string> begin_reading_subject(const Run& run) {
  if (!announces_commit(run)) return {};
  return std::async(std::launch::async,
                    [repository = run.repository, commit = *run.change.commit] { return repository.subject(commit); });
}

// What goes live must be there after a power cut, too. Nothing of it is written any more while the instances start.
std::future<void> begin_flushing_builds(const Run& run) {
  if (!builds(run.change.kind)) return {};
  return std::async(std::launch::async,
                    [directory = run.platform.layout.checkouts()] { flush_file_system(directory); });
}

}  // namespace

std::string names_of(const Run& run) {
  std::vector<std::string> names;
  for (const auto& part : run.parts) names.push_back(part.app.name.str());
  if (!names.empty()) return join(names, ", ");
  for (const auto& app : run.change.apps) names.push_back(app.name.str());
  return join(names, ", ");
}

void speak_of(Run& run, const std::optional<AppName>& app) {
  if (run.parts.size() < 2) return;
  run.subject = app;
  run.journal.speak_of(app ? app->str() : "");
}

namespace {
// Past the commit point there is only forward; before it, back.
Outcome stopped_by(Run& run, const Error& error) {
  const auto& platform = run.platform;
  const auto now = platform.store.group(run.group);
  if (!now.empty() && is_committed(platform, now.front())) {
    run.journal.abandon();
    run.journal.complaint(escaped(run.journal.redacted(error.message())));
    run.journal.complaint("The deployment is committed; the rest is done as soon as that is possible.");
    if (run.change.on_live) attempt("recording the deployment", [&] { platform.store.together(run.change.on_live); });
    return {true, {}};
  }
  const auto failure = failure_of(run, error);
  tell_failure(run, error);
  give_up(run, failure);
  return {false, failure.error};
}

Outcome run_steps(Run& run, std::future<std::string> subject) {
  const Stopwatch time;
  const auto& platform = run.platform;
  const auto& change = run.change;
  const auto& rules = rules_of(change.kind);
  try {
    take_turn(run);
    platform.store.together([&] {
      platform.store.advance(run.group, DeploymentState::Running);
      platform.store.begin_step(run.group, builds(change.kind) ? Step::Checkout : Step::Start);
    });
    announce(run, subject);
    wake_sleeping(run);
    if (builds(change.kind)) {
      for (auto& part : run.parts) {
        speak_of(run, part.app.name);
        check_out(run, part);
        build(run, part);
      }
      for (auto& part : run.parts) {
        speak_of(run, part.app.name);
        run_release_command(run, part);
      }
    } else if (rules.release != ReleaseFrom::Nothing) {
      begin_rename(run);
      for (auto& part : run.parts) {
        if (rules.release == ReleaseFrom::LiveIfAny && !part.app.live) continue;
        speak_of(run, part.app.name);
        derive(run, part);
      }
    }
    auto flushed = begin_flushing_builds(run);
    speak_of(run, {});
    start(run);
    hold_jobs(run);
    check_cancelled(run);
    if (flushed.valid()) flushed.get();
    platform.store.together([&] {
      platform.store.advance(run.group, DeploymentState::Ready);
      platform.store.begin_step(run.group, Step::Commit);
    });
    move_ref(run);  // The commit point (for a change that moves no ref: the transaction in finish()).
    finish(platform, run.group, change.on_live);
    tell_success(run, time);
    return {true, {}};
  } catch (const Error& error) {
    return stopped_by(run, error);
  } catch (const std::exception& error) {  // of a library, or no memory: undone like any other failure
    return stopped_by(run, Error(error.what()));
  }
}
}  // namespace

Outcome deploy(const Platform& platform, const Change& change, Journal& journal, int cancel_fd) {
  Run run{platform,
          change,
          journal,
          cancel_fd,
          Repository(platform.layout.repo(change.repo), platform.settings.push_memory),
          0,
          {},
          {},
          false};
  auto subject = begin_reading_subject(run);
  open(run);
  auto outcome = run_steps(run, std::move(subject));
  journal.close_logs();
  remove_file(platform.layout.group_lock(run.group));
  // Last: the daemon writes to the database at once, and whoever has more to read there would wait for it.
  wake_daemon(platform);
  return outcome;
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

bool request_cancel(const Platform& platform, std::int64_t group) {
  return signal_holder(platform.layout.group_lock(group), SIGTERM);
}

void wake_daemon(const Platform& platform) { send_datagram(platform.layout.serve_socket(), "look"); }

}  // namespace pushrod
