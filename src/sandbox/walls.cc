// Asks the kernel for seccomp and for Landlock's version, and says what that means for apps.
// `pushrod doctor` shows it.
#include "sandbox/walls.hh"

#include <fmt/format.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace pushrod {

namespace {

constexpr unsigned kAskVersion = 1;
constexpr long kVersionWithPorts = 4;
constexpr long kVersionWithScopes = 6;

std::string describe_landlock(long version, long wanted) {
  if (version == -EOPNOTSUPP) return "Landlock is switched off";
  if (version < 0) return "the kernel has no Landlock";
  if (version < wanted) return fmt::format("Landlock {}, too old: {} is needed", version, wanted);
  return fmt::format("Landlock {}", version);
}

Wall landlock_wall(const std::string& name, long version, long wanted, const std::string& kernel,
                   const std::string& lost) {
  const std::string remedy = version == -EOPNOTSUPP
                                 ? fmt::format("boot with lsm=landlock,…; Linux {}", kernel)
                                 : fmt::format("Linux {} with CONFIG_SECURITY_LANDLOCK (Debian 13)", kernel);
  return {name, version >= wanted, describe_landlock(version, wanted), lost, remedy};
}

}  // namespace

std::vector<Wall> walls_of(long landlock, bool seccomp) {
  return {
      {"system call filter", seccomp, seccomp ? "seccomp" : "the kernel has no seccomp filters",
       "everything: no build, no app", "a kernel with CONFIG_SECCOMP_FILTER"},
      landlock_wall("ports of apps", landlock, kVersionWithPorts, "6.7",
                    "an app can take any free port, that of one that restarts included"),
      landlock_wall("abstract sockets", landlock, kVersionWithScopes, "6.12",
                    "an app can reach abstract Unix sockets, other apps' included"),
  };
}

std::vector<Wall> examine_walls() {
  const std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
  const bool seccomp = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, kAskVersion);
  return walls_of(version < 0 ? -errno : version, seccomp);
}

}  // namespace pushrod
