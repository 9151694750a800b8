// Renders the /etc that sandboxes see: copies of what the host has, and made-up users.
// One directory instead of twenty mounts, each of which would cost every start 0.1 ms.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hh"
#include "model/environment.hh"
#include "os/files.hh"
#include "sandbox/bwrap.hh"
#include "sandbox/hosts.hh"

namespace pushrod {

namespace {

// Resolver, locale of time, names of protocols and types, the dynamic linker, where package registries are, and which
// system it is: installers choose programs by that.
constexpr const char* kCopied[] = {"host.conf", "ld.so.cache", "localtime",   "mime.types", "npmrc",   "os-release",
                                   "pip.conf",  "protocols",   "resolv.conf", "services",   "timezone"};

bool is_newer(const struct stat& one, const struct stat& other) {
  return one.st_mtim.tv_sec != other.st_mtim.tv_sec || one.st_mtim.tv_nsec != other.st_mtim.tv_nsec ||
         one.st_size != other.st_size;
}

void copy_if_changed(const fs::path& from, const fs::path& to) {
  struct stat theirs {};
  struct stat ours {};
  if (stat(from.c_str(), &theirs) != 0 || !S_ISREG(theirs.st_mode)) {
    remove_file(to);
    return;
  }
  if (stat(to.c_str(), &ours) == 0 && !is_newer(theirs, ours)) return;
  const auto content = read_file(from);
  if (!content) return;
  write_file(to, *content, 0644, false);
  const timespec times[2] = {theirs.st_mtim, theirs.st_mtim};
  if (utimensat(AT_FDCWD, to.c_str(), times, 0) != 0) throw_errno("set the time of " + to.native());
}

// Empty where the host has none, which is nothing unusual on a minimal one.
std::string host_file(const char* name) { return read_file(fs::path("/etc") / name).value_or(""); }

void write_if_different(const fs::path& path, const std::string& content) {
  if (read_file(path) != content) write_file(path, content, 0644, false);
}

}  // namespace

fs::path write_sandbox_etc(const fs::path& directory) {
  make_directory(directory, 0755);
  for (const std::string& name : read_host_root().etc_directories) make_directory(directory / name, 0755);
  for (const char* name : kCopied) copy_if_changed(fs::path("/etc") / name, directory / name);
  write_if_different(directory / "hosts", render_hosts(host_file("hosts"), {}));
  write_if_different(directory / "gai.conf", render_gai_conf(host_file("gai.conf")));
  write_if_different(directory / "nsswitch.conf", render_nsswitch(host_file("nsswitch.conf")));
  // This user has the same number inside; files of other users of the host are shown as those of "nobody".
  write_if_different(directory / "passwd",
                     fmt::format("app:x:{}:{}:app:{}:{}\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n", getuid(),
                                 getgid(), kHome, read_host_root().shell));
  write_if_different(directory / "group", fmt::format("app:x:{}:\nnogroup:x:65534:\n", getgid()));
  return directory;
}

fs::path sandbox_hosts(const fs::path& etc, const std::string& host_name) {
  return etc.parent_path() / "hosts" / host_name;
}

void write_sandbox_hosts(const Sandbox& sandbox) {
  if (sandbox.etc.empty() || sandbox.host_name.empty()) return;
  const auto file = sandbox_hosts(sandbox.etc, sandbox.host_name);
  make_directory(file.parent_path());
  write_if_different(file, render_hosts(host_file("hosts"), sandbox.host_name));
}

}  // namespace pushrod
