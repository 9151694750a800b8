// Makes a layer: installs packages in a sandbox that has nothing of the app but the files of the plan.
#include <fmt/format.h>

#include "base/error.hh"
#include "build/layer.hh"
#include "build/run_sandbox.hh"
#include "os/files.hh"

namespace pushrod {

void make_layer(const LayerPlan& plan, const SandboxJob& job, const fs::path& directory) {
  for (const char* name : {"app", "cache"}) make_directory(directory / name, 0755);
  for (const auto& [path, content] : plan.files) {
    make_directory((directory / "app" / path).parent_path(), 0755);
    write_file(directory / "app" / path, content, 0644, /*durable=*/false);
  }
  Sandbox sandbox = sandbox_of(job, script(plan.steps));
  sandbox.directory = "/app";
  sandbox.mounts = {{directory / "app", "/app", true}, {directory / "cache", "/cache", true}};
  for (const auto& mount : plan.mounts) {
    if (below_app(mount)) continue;
    make_directory(directory / mount.directory, 0755);
    sandbox.mounts.push_back({directory / mount.directory, mount.path, true});
  }
  add_deploy_key(sandbox, job);
  add_mounts(sandbox, job.layout, job.checkout, job.mounts, &ReleaseMount::running);
  run_in(sandbox, job, Stage::Build, {directory});
  for (const auto& mount : plan.mounts) {
    if (is_directory(directory / mount.directory)) continue;
    throw Error(fmt::format("{} has not made {}", plan.description, mount.path));
  }
  remove_tree(directory / "cache");
}

}  // namespace pushrod
