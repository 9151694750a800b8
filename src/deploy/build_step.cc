// The build and release-command steps: from a checkout to a release in the database.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <thread>

#include "base/error.hh"
#include "base/text.hh"
#include "build/writable.hh"
#include "deploy/control.hh"
#include "deploy/instances.hh"
#include "deploy/kept_build.hh"
#include "deploy/narration.hh"
#include "deploy/planned_release.hh"
#include "deploy/steps.hh"
#include "os/files.hh"
#include "os/process_tree.hh"
#include "sandbox/limits.hh"

namespace pushrod {

namespace {

std::string suffix(const Run& run, const Part& part) {
  return run.parts.size() > 1 ? " for " + part.app.name.str() : std::string{};
}

constexpr int kSlotPause = 50;  // ms; no event tells when one of several locks is free

std::optional<FileLock> try_build_slots(const Run& run, unsigned slots) {
  for (unsigned slot = 0; slot < slots; ++slot) {
    if (auto lock = FileLock::try_acquire(run.platform.layout.build_slot(slot))) {
      lock->announce(fmt::format("the build of {}", names_of(run)));
      return lock;
    }
  }
  return std::nullopt;
}

// Builds share a few slots, which are kernel locks as well.
FileLock take_build_slot(Run& run) {
  const auto& settings = run.platform.settings;
  const unsigned slots = settings.builds > 0 ? settings.builds : std::max(std::thread::hardware_concurrency(), 1u);
  if (auto lock = try_build_slots(run, slots)) return std::move(*lock);
  run.journal.line(fmt::format("waiting: {} already run", counted(slots, "build")));
  run.journal.now_doing("waiting for one of the builds that run before it");
  while (true) {
    pollfd cancelled{run.cancel_fd, POLLIN, 0};
    poll(&cancelled, 1, kSlotPause);
    check_cancelled(run.cancel_fd);
    if (auto lock = try_build_slots(run, slots)) return std::move(*lock);
  }
}

SandboxJob job_for(Run& run, const Part& part, Milliseconds timeout) {
  SandboxJob job{
      run.platform.layout, part.app.name, part.checkout, part.release->source, {}, timeout, run.cancel_fd, {}};
  if (const auto memory = run.platform.settings.build_memory; memory != 0) job.limits.memory = memory;
  job.limits.processes = run.platform.settings.build_processes;
  job.tmpfs_bytes = tmpfs_bytes(run.platform.settings.build_tmp, job.limits);
  job.on_output = [&run](std::string_view chunk) { run.journal.output(chunk); };
  return job;
}

bool uses_kept_build(Run& run, const Part& part, const std::string& key) {
  if (rules_of(run.change.kind).release == ReleaseFrom::FreshBuild || run.change.rebuild) return false;
  const auto built_by = take_kept_build(run.platform.layout, part.app.name, key, part.checkout);
  if (!built_by) return false;
  run.journal.headline(fmt::format("Using the build of deployment {}{} ({}); to build anew: git push -o rebuild",
                                   *built_by, suffix(run, part), part.plan.description));
  return true;
}

// The program that the build waits for: below us there are bwrap and its children, the shell that reads the script,
// then that program.
std::string command_that_runs() {
  return command_below(getpid(), {"bwrap", "pushrod-shim", ".pushrod-shim", "sh", "bash", "dash"});
}

void plan(Run& run, Part& part) {
  auto planned = plan_release(run.platform, part.app, part.deployment.number, *run.change.commit, part.checkout.tree(),
                              run.journal);
  check_settings(planned);
  part.plan = std::move(planned.plan);
  part.release = std::move(planned.release);
  part.release_command = std::move(planned.manifest.release_command);
  part.hold_for_release = planned.manifest.hold_for_release;
  part.known_writable = std::move(planned.known_writable);
  hide_secrets(run, *part.release);
}

void run_plan(Run& run, const Part& part) {
  run.platform.store.begin_step(run.group, Step::Build);
  const auto key = build_key(run.platform, *part.release, part.plan);
  if (uses_kept_build(run, part, key)) return;
  run.journal.begin(fmt::format("Building{} ({})", suffix(run, part), part.plan.description), "building");
  const auto slot = take_build_slot(run);
  run.journal.now_doing("building", command_that_runs);
  auto job = job_for(run, part, run.platform.settings.build_timeout);
  auto layers = environment_layers(run.platform, *part.release, EnvironmentLayers::For::Build);
  layers.administrator = run.platform.settings.build_environment;
  layers.builder.insert(part.plan.build_environment.begin(), part.plan.build_environment.end());
  job.environment = compose(layers);
  run_build(part.plan, job);
  mark_built(part.checkout, part.deployment.number, key);
  run.journal.end();
}

// From what is asked for to directories of what the build has left.
void settle_writable(Run& run, Part& part) {
  auto& paths = part.release->writable;
  paths = prepare_writable(app_tree(part.checkout, part.release->source), paths, part.known_writable);
  if (paths.empty()) return;
  std::vector<std::string> shown;
  for (const auto& path : paths) shown.push_back(path == "." ? "all of it" : escaped(path, 100));
  run.journal.line(
      fmt::format("Writable in /app{}, until the instance ends: {}", suffix(run, part), join(shown, ", ")));
}

}  // namespace

void build(Run& run, Part& part) {
  check_cancelled(run.cancel_fd);
  try {
    plan(run, part);
    if (part.plan.command.empty()) settle_writable(run, part);
  } catch (const Error&) {
    run.platform.store.begin_step(run.group, Step::Build);
    throw;
  }
  // Planning takes a moment, so it is no step of its own: its record would take longer.
  if (part.plan.command.empty()) return;
  run_plan(run, part);
  settle_writable(run, part);
}

void run_release_command(Run& run, Part& part) {
  if (!part.release_command) return;
  check_cancelled(run.cancel_fd);
  run.platform.store.begin_step(run.group, Step::Release);
  run.journal.begin("Running the release command" + suffix(run, part), "running the release command");
  if (part.hold_for_release) hold_requests(run, part);
  run.journal.now_doing("running the release command", command_that_runs);
  auto job = job_for(run, part, run.platform.settings.release_timeout);
  job.environment = compose(environment_layers(run.platform, *part.release, EnvironmentLayers::For::Release));
  job.writable = part.release->writable;
  run_release_command(*part.release_command, part.plan, job);
  run.journal.end();
}

}  // namespace pushrod
