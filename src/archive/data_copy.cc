// A copy of an app's /data.
#include "archive/data_copy.hh"

#include <sys/stat.h>

#include "base/error.hh"
#include "os/command.hh"
#include "os/files.hh"
#include "sandbox/sandbox.hh"

namespace pushrod {

namespace {
constexpr std::chrono::hours kDeadline{24};
}

void copy_data(const Layout& layout, const fs::path& data, const fs::path& copy) {
  remove_tree(copy);
  make_directory(copy);
  Sandbox sandbox;
  sandbox.host_name = "copy";
  sandbox.directory = "/";
  sandbox.etc = write_sandbox_etc(layout.sandbox_etc());
  sandbox.environment = {{"PATH", "/usr/bin:/bin"}, {"LANG", "C.UTF-8"}};
  sandbox.mounts = {{data, "/data", false}, {copy, "/copy", true}};
  sandbox.argv = {"cp", "--archive", "--reflink=auto", "--sparse=auto", "/data/.", "/copy/"};
  auto command = sandbox_command(sandbox);
  command.deadline = kDeadline;
  run_checked(command);
  if (chmod(copy.c_str(), 0700) != 0) throw_errno("chmod " + copy.string());
}

}  // namespace pushrod
