// The pipeline: all steps in order.
// Read run_steps() from top to bottom: up to the commit point nothing that clients see changes, and any failure is
// undone; after it there is only forward.
#include "deploy/deploy.hh"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <optional>

#include "base/error.hh"
#include "deploy/attempt.hh"
#include "deploy/control.hh"
#include "deploy/fallback.hh"
#include "deploy/narration.hh"
#include "deploy/settle.hh"
#include "deploy/steps.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// Records the deployments. A row without a living owner is taken for an interrupted deployment, so the returned lock
// keeps other processes from looking until this one owns them.
FileLock record(Run& run) {
  std::vector<DeploymentRequest> requests;
  for (const auto& app : run.change.apps) {
    requests.push_back(
        {app.id, run.change.kind, run.change.commit, run.change.previous, run.change.author, run.change.detail});
  }
  auto begin = FileLock::acquire(run.platform.layout.begin_lock());
  check_only_fallback(run.platform, run.change);
  std::vector<Deployment> deployments;
  run.platform.store.together([&] {
    if (run.observer.recorded) run.observer.recorded();
    deployments = run.platform.store.begin_deployments(requests);
  });
  run.group = deployments.front().group;
  for (const auto& app : run.change.apps) {
    const auto mine = std::find_if(deployments.begin(), deployments.end(),
                                   [&](const Deployment& deployment) { return deployment.app_id == app.id; });
    run.parts.push_back({app, *mine});
  }
  return begin;
}

void own(Run& run, const FileLock /*begin*/) {
  run.locks.push_back(FileLock::acquire(run.platform.layout.group_lock(run.group)));
  run.locks.back().announce(fmt::format("deployment of {}", names_of(run)));
}

void open_logs(Run& run) {
  std::vector<Deployment> deployments;
  for (const auto& part : run.parts) {
    run.journal.open_log(run.platform.layout.deployment_log(part.app.name, part.deployment.number));
    deployments.push_back(part.deployment);
  }
  if (run.observer.begun) run.observer.begun(deployments);
}

// What goes live must be there after a power cut, too. Nothing of it is written any more while the instances start.
std::future<void> begin_flushing_builds(const Run& run) {
  if (!builds(run.change.kind)) return {};
  return std::async(std::launch::async,
                    [directory = run.platform.layout.checkouts()] { flush_file_system(directory); });
}

NewReleases build_releases(Run& run) {
  std::vector<Built> built;
  for (const auto& part : run.parts) {
    speak_of(run, part.app.name);
    built.push_back(build(run, part, check_out(run, part)));
  }
  NewReleases releases;
  for (std::size_t at = 0; at < built.size(); ++at) {
    const auto& part = run.parts[at];
    speak_of(run, part.app.name);
    take_snapshot(run, part, built[at]);
    run_release_command(run, part, built[at]);
    releases.emplace(part.app.id, NewRelease{std::move(built[at].release)});
  }
  return releases;
}

NewReleases derive_releases(Run& run) {
  NewReleases releases;
  const auto from = rules_of(run.change.kind).release;
  if (from == ReleaseFrom::Nothing) return releases;
  begin_rename(run);
  for (const auto& part : run.parts) {
    if (from == ReleaseFrom::LiveIfAny && !part.app.live) continue;
    speak_of(run, part.app.name);
    releases.emplace(part.app.id, derive(run, part));
  }
  return releases;
}

void advance(const Run& run, DeploymentState state, Step begins) {
  run.platform.store.together([&] {
    run.platform.store.advance(run.group, state);
    run.platform.store.begin_step(run.group, begins);
  });
}

void run_steps(Run& run, FileLock begin, std::future<std::string> subject) {
  const Stopwatch time;
  const bool from_commit = builds(run.change.kind);
  own(run, std::move(begin));
  open_logs(run);
  take_turn(run);
  advance(run, DeploymentState::Running, from_commit ? Step::Checkout : Step::Start);
  announce(run, subject.get());
  wake_sleeping(run);
  exchange_data(run);
  const auto releases = from_commit ? build_releases(run) : derive_releases(run);
  auto flushed = begin_flushing_builds(run);
  speak_of(run, {});
  const auto started = start(run, releases);
  hold_jobs(run);
  check_cancelled(run.cancel_fd);
  if (flushed.valid()) flushed.get();
  advance(run, DeploymentState::Ready, Step::Commit);
  move_ref(run,
           started.ref_mover.get());  // The commit point (for a change that moves no ref: the transaction in finish()).
  finish(run.platform, run.group, run.observer.live);
  tell_success(run, started.instances, time);
}

// Before its turn a deployment has touched nothing, and another one may be at work on its apps.
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
    tell_incomplete_undo(run, error);
  }
}

// Past the commit point there is only forward; before it, back.
Outcome stopped_by(Run& run, const Error& error) {
  auto& store = run.platform.store;
  const auto now = store.group(run.group);
  if (!now.empty() && is_committed(run.platform, now.front())) {
    tell_delay(run, error);
    if (run.observer.live) attempt("recording the deployment", [&] { store.together(run.observer.live); });
    return {true, {}};
  }
  const auto failure = failure_of(run, error);
  tell_failure(run, error);
  give_up(run, failure);
  return {false, failure.error};
}

Outcome outcome_of_steps(Run& run, FileLock begin, std::future<std::string> subject) {
  try {
    run_steps(run, std::move(begin), std::move(subject));
    return {true, {}};
  } catch (const Error& error) {
    return stopped_by(run, error);
  } catch (const std::exception& error) {  // of a library, or no memory: undone like any other failure
    return stopped_by(run, Error(error.what()));
  }
}

}  // namespace

Outcome deploy(const Platform& platform, const Change& change, Journal& journal, int cancel_fd,
               const Observer& observer) {
  Run run{platform,  change,   journal,
          cancel_fd, observer, Repository(platform.layout.repo(change.repo), platform.settings.push_memory)};
  auto subject = begin_reading_subject(run);
  auto begin = record(run);
  auto outcome = outcome_of_steps(run, std::move(begin), std::move(subject));
  if (change.watched && !outcome.live) {
    attempt("ending the watch", [&] { end_failed_fallback(platform, *change.watched); });
  }
  journal.close_logs();
  remove_file(platform.layout.group_lock(run.group));
  // Last: the daemon writes to the database at once, and a process that reads there would wait for it.
  wake_daemon(platform);
  return outcome;
}

}  // namespace pushrod
