// Carries a build plan or a release command out. Second half of the build step, and the release step; builder.cc chose
// the plan.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "build/builder.hh"
#include "build/changes.hh"
#include "build/layer.hh"
#include "build/run_sandbox.hh"
#include "os/beneath.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

struct Changed {
  ReleaseMount mount;
  fs::path changes;  // of this build; empty: none were allowed
};

fs::path source_of(const SandboxJob& job, const ReleaseMount& mount) {
  return job.layout.layer(mount.layer) / mount.directory;
}

// Over the layer, changes go to a directory of the checkout.
std::vector<Changed> lay_for_build(Sandbox& sandbox, const SandboxJob& job) {
  std::vector<Changed> laid;
  for (const auto& mount : job.mounts) {
    if (mount.building == Access::None) continue;
    if (mount.layer.empty()) {
      make_directory(job.checkout.directory / mount.directory);
      sandbox.mounts.push_back({job.checkout.directory / mount.directory, mount.path, mount.building == Access::Write});
      continue;
    }
    const auto changes = job.checkout.directory / "changes" / std::to_string(laid.size());
    make_directory(changes / "upper", 0755);
    make_directory(changes / "work");
    if (!below_app(mount)) sandbox.mounts.push_back({source_of(job, mount), mount.path, false});
    sandbox.layers.push_back({source_of(job, mount), mount.path, changes});
    laid.push_back({mount, changes});
  }
  return laid;
}

void make_mount_point(const fs::path& root, const std::string& relative) {
  try {
    make_directory_beneath(root, relative);
  } catch (const SystemError&) {
    throw UserError(fmt::format("packages are installed in {}, and the app has something else there", relative),
                    "remove it from the repository, and what the build makes there");
  }
}

void make_mount_points(const SandboxJob& job) {
  const auto root = app_tree(job.checkout, job.source).root;
  for (const auto& mount : job.mounts) {
    if (const auto relative = below_app(mount)) make_mount_point(root, *relative);
  }
}

// The layer's directory with its changes becomes a part of the checkout, in place of packages that were committed.
void take_copy(const SandboxJob& job, const Changed& changed) {
  const auto& mount = changed.mount;
  const auto copy = job.checkout.directory / "copy";
  make_directory(copy, 0755);
  Sandbox sandbox = sandbox_of(job, "cp -a /from/. /to/");
  sandbox.directory = "/";
  sandbox.mounts = {{source_of(job, mount), "/from", false}, {copy, "/to", true}};
  if (!changed.changes.empty()) sandbox.layers = {{source_of(job, mount), "/from", changed.changes}};
  run_in(sandbox, job, Stage::Build);
  if (const auto relative = below_app(mount)) {
    const auto root = app_tree(job.checkout, job.source).root;
    make_mount_point(root, *relative);
    move_beneath(copy, root, *relative);
    if (is_directory(copy)) remove_tree(copy);
  } else {
    rename_path(copy, job.checkout.directory / mount.directory);
  }
}

SandboxJob with_mounts(const SandboxJob& job, ReleaseMounts mounts) {
  auto other = job;
  other.mounts = std::move(mounts);
  return other;
}

// The release has a copy of its own. It keeps the layer for the builds after it, which begin with it again.
ReleaseMount kept_for_builds(ReleaseMount mount) {
  mount.building = Access::None;
  mount.running = Access::None;
  return mount;
}

// Without overlays, a build gets copies that it may change.
ReleaseMounts copied(const SandboxJob& job) {
  ReleaseMounts mounts;
  for (auto mount : job.mounts) {
    if (!mount.layer.empty()) {
      take_copy(job, {mount, {}});
      mounts.push_back(kept_for_builds(mount));
    }
    if (!mount.layer.empty() && below_app(mount)) continue;
    mount.layer.clear();
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

bool has_layers(const ReleaseMounts& mounts) {
  return std::any_of(mounts.begin(), mounts.end(), [](const ReleaseMount& mount) { return !mount.layer.empty(); });
}

ReleaseMounts run_steps(const std::vector<BuildStep>& steps, const SandboxJob& job) {
  const fs::path cache = job.layout.build_cache(job.app);
  make_directory(cache);
  Sandbox sandbox = sandbox_of(job, script(steps));
  sandbox.mounts = {{app_tree(job.checkout, job.source).root, "/app", true}, {cache, "/cache", true}};
  add_deploy_key(sandbox, job);
  const auto laid = lay_for_build(sandbox, job);
  run_in(sandbox, job, Stage::Build, {job.checkout.directory, cache});
  auto mounts = job.mounts;
  for (const auto& changed : laid) {
    if (!holds_changes(changed.changes / "upper")) continue;
    take_copy(job, changed);
    const auto mount = std::find(mounts.begin(), mounts.end(), changed.mount);
    mount->layer.clear();
    if (below_app(*mount)) mounts.erase(mount);
    mounts.push_back(kept_for_builds(changed.mount));
  }
  remove_tree(job.checkout.directory / "changes");
  return mounts;
}

}  // namespace

ReleaseMounts run_build(const std::vector<BuildStep>& steps, const SandboxJob& job) {
  make_mount_points(job);
  if (steps.empty()) return job.mounts;
  if (has_layers(job.mounts) && !probe_writable().empty()) {
    return run_steps(steps, with_mounts(job, copied(job)));
  }
  auto mounts = run_steps(steps, job);
  make_mount_points(with_mounts(job, mounts));  // the build may have put something else there
  return mounts;
}

void run_release_command(const std::string& command, const SandboxJob& job) {
  const fs::path data = job.layout.data(job.app);
  make_directory(data);

  Sandbox sandbox = sandbox_of(job, command);
  sandbox.mounts = {{app_tree(job.checkout, job.source).root, "/app", false}, {data, "/data", true}};
  add_mounts(sandbox, job.layout, job.checkout, job.mounts, &ReleaseMount::running);
  for (const auto& service : job.services) {
    sandbox.mounts.push_back({job.layout.service_socket(service), service_directory_in_app(service), false});
  }
  for (const auto& directory : job.directories) {
    sandbox.mounts.push_back({directory.from, directory.to, directory.writable});
  }
  sandbox.writable = job.writable;
  run_in(sandbox, job, Stage::Release);
}

}  // namespace pushrod
