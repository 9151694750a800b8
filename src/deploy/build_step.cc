// The build and release-command steps: from a checkout to a release in the database.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>

#include <thread>

#include "base/error.hh"
#include "base/text.hh"
#include "build/git_access.hh"
#include "build/layer.hh"
#include "build/writable.hh"
#include "config/http_section.hh"
#include "deploy/control.hh"
#include "deploy/deploy_access.hh"
#include "deploy/environments.hh"
#include "deploy/host_mounts.hh"
#include "deploy/kept_build.hh"
#include "deploy/layers.hh"
#include "deploy/narration.hh"
#include "deploy/planned_release.hh"
#include "deploy/plans.hh"
#include "deploy/steps.hh"
#include "deploy/submodules.hh"
#include "deploy/trash.hh"
#include "os/files.hh"
#include "os/process_tree.hh"

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
  run.journal.line(fmt::format("waiting for a build slot: {} at a time", counted(slots, "build")));
  run.journal.now_doing("waiting for a build slot");
  while (true) {
    pollfd cancelled{run.cancel_fd, POLLIN, 0};
    poll(&cancelled, 1, kSlotPause);
    check_cancelled(run.cancel_fd);
    if (auto lock = try_build_slots(run, slots)) return std::move(*lock);
  }
}

SandboxJob job_for(Run& run, const Part& part, const Checkout& checkout, const Source& source, Milliseconds timeout) {
  SandboxJob job{run.platform.layout, part.app.name, checkout, source, {}, timeout, run.cancel_fd, {}};
  if (const auto memory = run.platform.settings.build_memory; memory != 0) job.limits.memory = memory;
  job.limits.processes = run.platform.settings.build_processes;
  job.tmpfs_bytes = run.platform.settings.build_tmp;
  job.on_output = [&run](std::string_view chunk) { run.journal.output(chunk); };
  return job;
}

std::optional<KeptBuild> use_kept_build(Run& run, const Part& part, const Checkout& checkout, const BuildPlan& plan,
                                        const std::string& key, const ReleaseMounts& provided) {
  if (rules_of(run.change.kind).release == ReleaseFrom::FreshBuild || run.change.rebuild || run.change.no_cache) {
    return std::nullopt;
  }
  // The others may be removed at any moment.
  for (const auto& mount : mounts_of_kept_build(run.platform.layout, part.app.name)) {
    const auto is_same = [&](const ReleaseMount& other) { return other.layer == mount.layer; };
    if (!mount.layer.empty() && std::none_of(provided.begin(), provided.end(), is_same)) return std::nullopt;
  }
  auto kept = take_kept_build(run.platform.layout, part.app.name, key, checkout);
  if (!kept) return std::nullopt;
  run.journal.headline(fmt::format("Using the build of deployment {}{} ({}); to build anew: git push -o rebuild",
                                   kept->built_by, suffix(run, part), plan.description));
  return kept;
}

// The program that the build waits for: below us there are bwrap and its children, the shell that reads the script,
// then that program.
std::string command_that_runs() {
  return command_below(getpid(), {"bwrap", "pushrod-shim", ".pushrod-shim", "sh", "bash", "dash"});
}

PlannedRelease plan(Run& run, const Part& part, const Checkout& checkout) {
  auto planned = plan_release(run.platform, part.app, part.deployment.number, *run.change.commit, checkout.tree(),
                              run.journal, run.change.settings);
  host_directories_of(run.platform, planned.release);  // throws for what cannot be mounted
  if (planned.manifest.build_submodules) {
    auto submodules = submodule_layers(run.repository, planned.release, checkout.tree());
    auto& layers = planned.plan.layers;
    layers.insert(layers.begin(), std::make_move_iterator(submodules.begin()),
                  std::make_move_iterator(submodules.end()));
  }
  provide_services(run, part, planned);
  check_settings(planned);
  for (auto& process : planned.release.processes) {
    process.http = with_pages(std::move(process.http), app_directory(checkout, planned.release.source.path));
  }
  hide_secrets(run, planned.release);
  return planned;
}

// What one build does, in order.
class Building {
 public:
  Building(Run& run, const Part& part, const Checkout& checkout, const PlannedRelease& planned)
      : run_(run), part_(part), checkout_(checkout), planned_(planned), access_(run.platform, part.app) {}

  // Returns what the release mounts.
  ReleaseMounts carry_out() {
    const auto& plan = planned_.plan;
    run_.platform.store.begin_step(run_.group, Step::Build);
    forget_caches();
    const auto key = build_key(run_.platform, planned_.release, plan);
    auto mounts = provide_layers();
    if (auto kept = use_kept_build(run_, part_, checkout_, plan, key, mounts)) return std::move(kept->mounts);
    mounts = run_steps(std::move(mounts));
    mark_built(checkout_, part_.deployment.number, key, mounts);
    return mounts;
  }

 private:
  void forget_caches() {
    const auto cache = run_.platform.layout.build_cache(part_.app.name);
    if (run_.change.no_cache && is_directory(cache)) discard(run_.platform.layout, cache);
  }

  void take_slot() {
    if (!slot_) slot_ = take_build_slot(run_);
  }

  SandboxJob job() const {
    const auto& settings = run_.platform.settings;
    auto job = job_for(run_, part_, checkout_, planned_.release.source, settings.build_timeout);
    job.network = planned_.manifest.build_network;
    job.silence = settings.build_silence;
    job.disk_bytes = settings.build_disk;
    job.disk_entries = settings.build_files;
    return job;
  }

  // Sees to what the steps find installed. Collects the steps.
  ReleaseMounts provide_layers() {
    auto mounts = planned_.plan.mounts;
    for (const auto& layer : planned_.plan.layers) {
      const auto seen = layers_of_layer(run_.platform, planned_.release, planned_.plan, layer);
      const bool in_place =
          layer.submodule.empty() && (names_files_of_app(seen.settings) || names_files_of_app(seen.administrator));
      const auto name = in_place ? std::string{} : provide(complete(layer), compose(seen));
      const auto& steps = in_place ? layer.in_place : layer.then;
      steps_.insert(steps_.end(), steps.begin(), steps.end());
      has_layers_ = has_layers_ || (!in_place && layer.submodule.empty());
      for (auto mount : layer.mounts) {
        if (in_place && below_app(mount)) continue;  // a part of the tree
        mount.layer = name;
        if (layer.is_toolchain && !in_place) toolchains_.push_back(mount);
        mounts.push_back(std::move(mount));
      }
    }
    steps_.insert(steps_.end(), planned_.plan.steps.begin(), planned_.plan.steps.end());
    return mounts;
  }

  // What comes from a private repository is shared only by apps with the same deploy key.
  LayerPlan complete(LayerPlan layer) const {
    for (const auto& mount : toolchains_) layer.tools += "\n" + mount.layer;
    if (uses_ssh(layer)) layer.tools += "\n" + access_.fingerprint();
    return layer;
  }

  static bool uses_ssh(const LayerPlan& layer) {
    return is_ssh_address(layer.description) || !ssh_addresses_in(layer.files).empty();
  }

  // Throws UserError before anything is installed.
  void check_access(const std::map<std::string, std::string>& files, SandboxJob job) {
    const auto addresses = ssh_addresses_in(files);
    if (addresses.empty()) return;
    access_.lend(job);
    run_.journal.now_doing("asking for access to git repositories");
    check_git_access(addresses, job, access_.remedy());
  }

  void make(const LayerPlan& layer, const SandboxJob& job, const fs::path& directory) {
    try {
      make_layer(layer, job, directory);
    } catch (const TransientFailure& failure) {
      tell_retry(failure);
      for (const auto& name : list_directory(directory)) remove_tree(directory / name);
      make_layer(layer, job, directory);
    }
  }

  void fetch_submodule(const LayerPlan& layer, SandboxJob job, const fs::path& directory) {
    run_.journal.begin(fmt::format("Fetching submodule {}{}", escaped(layer.submodule, 200), suffix(run_, part_)),
                       "fetching a submodule", command_that_runs);
    job.network = true;
    access_.lend(job);
    try {
      make(layer, job, directory);
    } catch (const Cancelled&) {
      throw;
    } catch (const UserError& failure) {
      UserError error(
          fmt::format("submodule {} could not be fetched from {}", escaped(layer.submodule, 200),
                      escaped(layer.description, 300)),
          is_ssh_address(layer.description)
              ? access_.remedy()
              : fmt::format("if it is private, give its ssh address in .gitmodules, and let the app's deploy "
                            "key read it: key deploy {}",
                            part_.app.name.str()));
      error.set_evidence(failure.evidence());
      throw error;
    }
    run_.journal.end();
  }

  void install_packages(const LayerPlan& layer, SandboxJob job, const fs::path& directory) {
    check_access(layer.files, job);
    if (uses_ssh(layer)) access_.lend(job);
    run_.journal.begin(layer.is_toolchain
                           ? fmt::format("Installing {}{}", layer.description, suffix(run_, part_))
                           : fmt::format("Installing packages{} ({})", suffix(run_, part_), layer.description),
                       "installing packages", command_that_runs);
    make(layer, job, directory);
    run_.journal.end();
  }

  std::string provide(const LayerPlan& layer, Environment environment) {
    auto making = job();
    making.mounts = toolchains_;
    making.environment = std::move(environment);
    bool is_made = false;
    const bool is_submodule = !layer.submodule.empty();
    const auto make = [&](const fs::path& directory) {
      is_made = true;
      is_submodule ? fetch_submodule(layer, making, directory) : install_packages(layer, making, directory);
    };
    auto name = provide_layer(run_, layer_name(layer, is_submodule ? Environment{} : making.environment),
                              run_.change.no_cache, {[this] { take_slot(); }, make});
    if (!is_made && is_submodule) {
      run_.journal.headline(
          fmt::format("Submodule {}{}: unchanged", escaped(layer.submodule, 200), suffix(run_, part_)));
    } else if (!is_made && !layer.is_toolchain) {
      run_.journal.headline(fmt::format("Packages{}: unchanged ({})", suffix(run_, part_), layer.description));
    }
    return name;
  }

  ReleaseMounts run_steps(ReleaseMounts mounts) {
    auto building = job();
    building.environment = build_environment(run_.platform, planned_.release, planned_.plan);
    building.mounts = std::move(mounts);
    if (steps_.empty()) return run_build(steps_, building);
    run_.journal.begin(
        fmt::format("Building{} ({})", suffix(run_, part_), has_layers_ ? told(steps_) : planned_.plan.description),
        "building");
    take_slot();
    if (!has_layers_) check_access(dependency_files(app_directory(checkout_, planned_.release.source.path)), building);
    access_.lend(building);
    run_.journal.now_doing("building", command_that_runs);
    try {
      mounts = run_build(steps_, building);
    } catch (const TransientFailure& failure) {
      if (!may_run_twice()) throw;
      tell_retry(failure);
      mounts = run_build(steps_, building);
    }
    run_.journal.end();
    return mounts;
  }

  void tell_retry(const TransientFailure& failure) {
    check_cancelled(run_.cancel_fd);
    run_.journal.line(fmt::format("{}, and a server did not answer: trying once more", failure.message()));
  }

  // The steps of our builders can run again on what they have left; an app's own commands may not expect that.
  bool may_run_twice() const {
    const auto& plan = planned_.plan;
    return plan.builder != "command" && plan.builder != "script" && !planned_.manifest.build_after;
  }

  Run& run_;
  const Part& part_;
  const Checkout& checkout_;
  const PlannedRelease& planned_;
  std::optional<FileLock> slot_;
  std::vector<BuildStep> steps_;  // of the build, once it is clear which layers there are
  bool has_layers_ = false;       // of packages
  DeployAccess access_;
  ReleaseMounts toolchains_;  // layers that those after them are made with
};

// From what is asked for to directories of what the build has left.
void settle_writable(Run& run, const Part& part, const Checkout& checkout, PlannedRelease& planned) {
  auto& paths = planned.release.writable;
  const bool says_paths = !paths.empty();
  paths = prepare_writable(app_tree(checkout, planned.release.source), paths, planned.known_writable);
  if (paths.empty()) return;
  check_writable(run.platform.layout, planned.release.mounts, paths);
  std::vector<std::string> shown;
  for (const auto& path : paths) shown.push_back(path == "." ? "all of it" : escaped(path, 100));
  run.journal.line(
      fmt::format("Writable in /app{}, until the instance ends: {}", suffix(run, part), join(shown, ", ")));
  const auto directory = app_tree(checkout, planned.release.source).directory();
  if (has_database_beside_code(directory)) {
    run.journal.complaint(
        "a database of SQLite beside the code is empty again in every instance, and the release command writes to "
        "another copy: put its file into the directory that the variable DATA_DIR names (/data, which is kept), or use "
        "a service (service create)");
    return;
  }
  if (says_paths) return;
  if (const auto file = code_that_writes(directory, planned.release.processes); !file.empty()) {
    run.journal.complaint(
        fmt::format("{} writes files; in /app they are lost when the instance ends, and other instances do not see "
                    "them: put what must last into the directory that the variable DATA_DIR names (/data, which is "
                    "kept)",
                    escaped(file, 100)));
  }
}

// Planning is quick, so it gets a step of its own only when it fails: the record would take longer. What needs no
// build is settled with it.
PlannedRelease plan_or_fail_the_build(Run& run, const Part& part, const Checkout& checkout) {
  try {
    auto planned = plan(run, part, checkout);
    if (has_nothing_to_build(planned.plan)) settle_writable(run, part, checkout, planned);
    return planned;
  } catch (const Error&) {
    run.platform.store.begin_step(run.group, Step::Build);
    throw;
  }
}

}  // namespace

Built build(Run& run, const Part& part, const Checkout& checkout) {
  check_cancelled(run.cancel_fd);
  auto planned = plan_or_fail_the_build(run, part, checkout);
  if (!has_nothing_to_build(planned.plan)) {
    planned.release.mounts = Building(run, part, checkout, planned).carry_out();
    settle_writable(run, part, checkout, planned);
  }
  return {std::move(planned.release), checkout, std::move(planned.manifest.release_command),
          planned.manifest.hold_for_release, planned.manifest.snapshot_for_release};
}

void run_release_command(Run& run, const Part& part, const Built& built) {
  if (!built.release_command) return;
  check_cancelled(run.cancel_fd);
  run.platform.store.begin_step(run.group, Step::Release);
  run.journal.begin("Running the release command" + suffix(run, part), "running the release command");
  if (built.holds_requests) hold_requests(run, part);
  run.journal.now_doing("running the release command", command_that_runs);
  auto job = job_for(run, part, built.checkout, built.release.source, run.platform.settings.release_timeout);
  job.environment = release_command_environment(run.platform, built.release);
  job.writable = built.release.writable;
  job.mounts = built.release.mounts;
  job.services = services_of(run.platform, built.release);
  job.directories = host_directories_of(run.platform, built.release);
  run_release_command(*built.release_command, job);
  run.journal.end();
}

}  // namespace pushrod
