// Builds bubblewrap's argument vector: who is inside which walls, and what is seen there.
// The pure half of the sandbox; sandbox.cc and shim_spec.cc hand the vector on.
#include "sandbox/bwrap.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.hh"
#include "os/files.hh"
#include "sandbox/limits.hh"

namespace pushrod {

namespace {

constexpr const char* kShimInside = "/.pushrod-shim";
// Half of what Debian allows a user, and far more than file watchers need.
constexpr unsigned kInotifyInstances = 64;

class Arguments {
 public:
  template <class... Parts>
  void add(const Parts&... parts) {
    (list_.emplace_back(parts), ...);
  }
  std::vector<std::string> take() { return std::move(list_); }

 private:
  std::vector<std::string> list_{"bwrap"};
};

void add_walls(Arguments& arguments, const Sandbox& sandbox) {
  arguments.add("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try");
  if (!sandbox.network) arguments.add("--unshare-net");
  // A setuid-root program gains nothing (bwrap sets no_new_privs), and no namespace inside gives capabilities back.
  arguments.add("--disable-userns", "--cap-drop", "ALL");
  // For the shim, which gives up all of them before it starts the command: to mount with (src/shim/mounts.cc), else
  // to limit what the kernel counts per user namespace and to lose the capabilities for good.
  if (!sandbox.writable.empty() || !sandbox.layers.empty()) {
    arguments.add("--cap-add", "ALL");
  } else {
    arguments.add("--cap-add", "CAP_SYS_RESOURCE", "--cap-add", "CAP_SETPCAP");
  }
  if (!sandbox.host_name.empty()) arguments.add("--hostname", sandbox.host_name);
}

void add_tmpfs(Arguments& arguments, const Sandbox& sandbox, const char* path) {
  if (sandbox.tmpfs_bytes != 0) arguments.add("--size", std::to_string(sandbox.tmpfs_bytes));
  arguments.add("--perms", "1777", "--tmpfs", path);
}

void add_host(Arguments& arguments, const Sandbox& sandbox, const HostRoot& host) {
  arguments.add("--ro-bind", "/usr", "/usr");
  for (const auto& [path, target] : host.symlinks) arguments.add("--symlink", target, path);
  for (const std::string& path : host.directories) arguments.add("--ro-bind", path, path);
  arguments.add("--ro-bind-try", "/opt", "/opt");
  arguments.add("--proc", "/proc", "--dev", "/dev");
  add_tmpfs(arguments, sandbox, "/tmp");
  // bwrap's /dev is a tmpfs without a size.
  add_tmpfs(arguments, sandbox, "/dev/shm");
  arguments.add("--remount-ro", "/dev");
  // Every mount costs 0.1 ms: what is private and volatile anyway shares /tmp.
  arguments.add("--symlink", "tmp", "/run", "--dir", "/var", "--symlink", "../tmp", "/var/tmp", "--symlink", "../tmp",
                "/var/run");
  if (sandbox.etc.empty()) return;
  arguments.add("--ro-bind", sandbox.etc.native(), "/etc");
  if (!sandbox.host_name.empty()) {
    arguments.add("--ro-bind-try", sandbox_hosts(sandbox.etc, sandbox.host_name).native(), "/etc/hosts");
  }
  for (const std::string& name : host.etc_directories) arguments.add("--ro-bind-try", "/etc/" + name, "/etc/" + name);
}

bool lies_in(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory + "/");
}

// What the shim mounts itself. A layer goes over what is writable around it, and what is writable in it over the layer:
// all of it, if the directory around it is writable.
std::vector<std::string> mount_words(const Sandbox& sandbox) {
  std::vector<std::string> around;
  std::vector<std::string> within;
  for (const std::string& path : sandbox.writable) {
    const auto absolute = path == "." ? "/app" : "/app/" + path;
    const bool inside = std::any_of(sandbox.layers.begin(), sandbox.layers.end(),
                                    [&](const SandboxLayer& layer) { return lies_in(absolute, layer.path); });
    (inside ? within : around).push_back("writable=" + path);
    for (const auto& layer : sandbox.layers) {
      if (!inside && lies_in(layer.path, absolute)) within.push_back("writable=" + layer.path.substr(sizeof "/app"));
    }
  }
  for (const auto& layer : sandbox.layers)
    around.push_back((layer.changes.empty() ? "layer=" : "changes=") + layer.path);
  around.insert(around.end(), within.begin(), within.end());
  return around;
}

void add_layers(Arguments& arguments, const Sandbox& sandbox) {
  for (std::size_t at = 0; at < sandbox.layers.size(); ++at) {
    const auto& layer = sandbox.layers[at];
    const auto offered = fmt::format("/.layers/{}", at);
    arguments.add("--ro-bind", layer.from.native(), offered);
    if (!layer.changes.empty()) arguments.add("--bind", layer.changes.native(), offered + ".changes");
  }
}

}  // namespace

HostRoot read_host_root() {
  HostRoot host;
  for (const char* path : {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}) {
    std::error_code error;
    const fs::file_status status = fs::symlink_status(path, error);
    if (fs::is_symlink(status)) {
      host.symlinks.emplace_back(path, fs::read_symlink(path).native());
    } else if (fs::is_directory(status)) {
      host.directories.emplace_back(path);
    }
  }
  host.shell = command_shell();
  // In php: which extensions PHP loads. Debian's Java and Maven link to their configuration.
  for (const auto& name : list_directory("/etc")) {
    const bool is_needed = name == "alternatives" || name == "fonts" || name == "maven" || name == "php" ||
                           name == "ssl" || name.starts_with("java-");
    if (is_needed && is_directory(fs::path("/etc") / name)) host.etc_directories.push_back(name);
  }
  return host;
}

void add_mounts(Sandbox& sandbox, const Layout& layout, const Checkout& checkout, const ReleaseMounts& mounts,
                Access ReleaseMount::*access) {
  for (const auto& mount : mounts) {
    if (mount.*access == Access::None) continue;
    const auto from = (mount.layer.empty() ? checkout.directory : layout.layer(mount.layer)) / mount.directory;
    if (lies_in(mount.path, "/app")) {
      sandbox.layers.push_back({from, mount.path});
    } else {
      sandbox.mounts.push_back({from, mount.path, mount.*access == Access::Write && mount.layer.empty()});
    }
  }
}

std::string command_shell() { return access("/bin/bash", X_OK) == 0 ? "/bin/bash" : "/bin/sh"; }

fs::path shim_of(const Sandbox& sandbox) {
  return sandbox.shim.empty() ? own_program().parent_path() / "pushrod-shim" : sandbox.shim;
}

std::vector<std::string> bwrap_arguments(const Sandbox& sandbox, ShimRole role, const HostRoot& host) {
  Arguments arguments;
  // Without --die-with-parent: it may leave a process of bwrap behind (src/shim/README.md, "Who dies when").
  arguments.add("--as-pid-1");
  add_walls(arguments, sandbox);
  // Without a session of its own, which `run` makes for the command: so pid 1 stays in the process group of bwrap, and
  // a kill of the group reaches both.
  if (role == ShimRole::Init) arguments.add("--new-session");
  add_host(arguments, sandbox, host);
  arguments.add("--ro-bind", shim_of(sandbox).native(), kShimInside);
  for (const Mount& mount : sandbox.mounts) {
    arguments.add(mount.writable ? "--bind" : "--ro-bind", mount.from.native(), mount.to);
  }
  add_layers(arguments, sandbox);
  arguments.add("--remount-ro", "/", "--chdir", sandbox.directory, "--");
  arguments.add(kShimInside, role == ShimRole::Init ? "init" : "run");
  if (sandbox.starter) arguments.add("starter=" + std::to_string(*sandbox.starter));
  arguments.add(fmt::format("inotify={}", kInotifyInstances));
  for (const std::string& word : mount_words(sandbox)) arguments.add(word);
  for (const std::string& word : wall_words(sandbox, rlimits_here())) arguments.add(word);
  if (sandbox.argv.empty()) {
    arguments.add("--", host.shell, "-c", sandbox.command);
  } else {
    arguments.add("--");
    for (const std::string& word : sandbox.argv) arguments.add(word);
  }
  return arguments.take();
}

Environment bwrap_environment(const Sandbox& sandbox) {
  Environment marked;
  for (const auto& [name, value] : sandbox.environment) marked["+" + name] = value;
  return marked;
}

}  // namespace pushrod
