// From a checkout to something that runs: which builder, what it does in the sandbox, what it adds for every process.
// A builder is a function that reads the tree and returns a plan (plan.hh); run_build() carries the plan out. A new
// builder is a file and a line in the table in builder.cc.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hh"
#include "build/plan.hh"
#include "model/layout.hh"
#include "model/process.hh"
#include "model/service.hh"
#include "model/settings.hh"
#include "model/source.hh"
#include "os/command.hh"

namespace pushrod {

// An app's files on this machine: the build root, which is /app in the sandbox, and the app's own directory in it,
// where commands run.
struct AppTree {
  std::filesystem::path root;
  std::string path{};  // of the app's directory in the root; empty: the root itself

  std::filesystem::path directory() const { return path.empty() ? root : root / path; }
  // From the app's directory to the root, as paths in the root: "apps/web", "apps", "".
  std::vector<std::string> upwards() const;
  // The first of these that has one of the files, so that what is nearest to the app counts.
  std::optional<std::string> nearest(const std::vector<std::string>& names) const;
};
// A directory of the root as the sandbox sees it: "/app", "/app/apps".
std::string in_sandbox(const std::string& path);

// The directory of the repo above the app's path that has the package.json which the app belongs to, and which it does
// not see without a build root. Absent if it needs none.
std::optional<std::string> package_above(const std::filesystem::path& repo, const std::string& path);

// The order: [build] command, executable .build.sh, [build] builder, detected language, nothing. The app's own
// directory is looked at first, then those above it up to the root. Throws UserError when the tree contradicts itself.
// Symlinks are not followed.
BuildPlan plan_build(const AppTree& tree, const AppManifest& manifest);

// The process table of the release: the manifest's, and those of the plan's defaults that it does not name (`npm start`
// if there is no web). Throws UserError when there is none, naming what was looked at and what to write.
ProcessTable choose_processes(const BuildPlan& plan, const AppManifest& manifest);

// The app's directory in a checkout: the tree, or the sub-directory `path` of it. Throws UserError unless every part of
// the path is a directory and none a symlink.
std::filesystem::path app_directory(const Checkout& checkout, const std::string& path);
// And the build root around it, which becomes /app.
AppTree app_tree(const Checkout& checkout, const Source& source);

struct SandboxJob {
  const Layout& layout;
  AppName app;
  Checkout checkout;
  Source source;            // which part of the checkout is /app, and where the command runs in it
  Environment environment;  // complete (model/environment.hh)
  Milliseconds timeout;
  int cancel_fd = -1;
  std::function<void(std::string_view)> on_output;  // chunks, raw
  Limits limits{};
  std::uint64_t tmpfs_bytes = 0;        // as in Sandbox; less where `limits` has less memory
  WritablePaths writable{};             // for the release command
  ReleaseMounts mounts{};               // of the release; their layers are there
  std::vector<ServiceName> services{};  // for the release command: whose sockets it sees
  HostDirectories directories{};        // the same, of this machine
  bool network = true;                  // false: builds get none
  Milliseconds silence{0};              // of a build; 0: no limit
  std::uint64_t disk_bytes = 0;         // of a build, in its checkout, cache and layer; 0: no limit
  std::uint64_t disk_entries = 0;
  std::filesystem::path deploy_key{};  // of a build: a directory with an ssh-agent (git_access.hh); empty: none
};

// What run_build() and make_layer() throw when the output tells that a server did not answer: it may in a moment.
class TransientFailure : public UserError {
 public:
  explicit TransientFailure(const UserError& error) : UserError(error) {}
};

// Runs these steps with /app, /cache and the job's mounts. Returns the mounts that the release has from now on:
// what the steps have changed in a layer belongs to the release alone, so it gets a copy of its own. Throws UserError
// with the last lines as evidence when it fails or is stopped at a limit (named, with its setting), and
// Cancelled when cancel_fd became readable.
ReleaseMounts run_build(const std::vector<BuildStep>& steps, const SandboxJob& job);
// Runs the release command on the built code: /app read-only but for the writable paths, /data writable, the job's
// mounts as in a process.
void run_release_command(const std::string& command, const SandboxJob& job);

}  // namespace pushrod
