// The system calls that are refused in a sandbox. Each would end otherwise without the filter, and is tried with it.
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>

#include "fixtures.hh"
#include "shim/walls.hh"

namespace pushrod {
namespace {

struct Call {
  const char* name;
  long number;
  long arguments[4];
  int error;
};

const Call kRefused[] = {
    {"ptrace", SYS_ptrace, {PTRACE_TRACEME}, EPERM},
    {"process_vm_readv", SYS_process_vm_readv, {-1}, EPERM},
    {"process_vm_writev", SYS_process_vm_writev, {-1}, EPERM},
    {"pidfd_getfd", SYS_pidfd_getfd, {-1}, EPERM},
    {"kcmp", SYS_kcmp, {-1, -1}, EPERM},
    {"keyctl", SYS_keyctl, {-1}, EPERM},
    {"add_key", SYS_add_key, {}, EPERM},
    {"request_key", SYS_request_key, {}, EPERM},
    {"chroot", SYS_chroot, {}, EPERM},
    {"open_tree", SYS_open_tree, {-1, 0, -1}, EPERM},
    {"setns", SYS_setns, {-1}, EPERM},
    {"unshare of users", SYS_unshare, {CLONE_NEWUSER}, EPERM},
    {"clone of users", SYS_clone, {CLONE_NEWUSER | CLONE_SIGHAND}, EPERM},
    {"clone3", SYS_clone3, {}, ENOSYS},
    {"io_uring_setup", SYS_io_uring_setup, {}, ENOSYS},
    {"io_uring_enter", SYS_io_uring_enter, {-1}, ENOSYS},
    {"io_uring_register", SYS_io_uring_register, {-1}, ENOSYS},
    {"perf_event_open", SYS_perf_event_open, {}, EPERM},
    {"userfaultfd", SYS_userfaultfd, {-1}, EPERM},
    {"TIOCSTI", SYS_ioctl, {-1, TIOCSTI}, EPERM},
    {"TIOCLINUX", SYS_ioctl, {-1, TIOCLINUX}, EPERM},
    {"TIOCSETD", SYS_ioctl, {-1, TIOCSETD}, EPERM},
    {"a socket of packets", SYS_socket, {AF_PACKET, SOCK_RAW}, EAFNOSUPPORT},
    {"a socket of the audit", SYS_socket, {AF_NETLINK, SOCK_RAW, NETLINK_AUDIT}, EPROTONOSUPPORT},
    {"a raw socket", SYS_socket, {AF_INET, SOCK_RAW, IPPROTO_ICMP}, ESOCKTNOSUPPORT},
    {"MPTCP", SYS_socket, {AF_INET, SOCK_STREAM, 262}, EPROTONOSUPPORT},
#if defined(__x86_64__)
    {"modify_ldt", SYS_modify_ldt, {-1}, EPERM},
    {"getpid of x32", 0x40000000 + SYS_getpid, {}, ENOSYS},
#endif
};

const Call kAllowed[] = {
    {"getpid", SYS_getpid, {}, 0},
    {"TCP", SYS_socket, {AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0}, 0},
    {"UDP", SYS_socket, {AF_INET, SOCK_DGRAM, IPPROTO_UDP}, 0},
    {"Unix", SYS_socket, {AF_UNIX, SOCK_SEQPACKET, 0}, 0},
    {"routes", SYS_socket, {AF_NETLINK, SOCK_RAW, NETLINK_ROUTE}, 0},
    {"unshare of files", SYS_unshare, {CLONE_FILES}, 0},
    {"fork", SYS_clone, {SIGCHLD}, 0},
};

// The error of the call behind the filter; 0 if there was none.
int error_of(const Call& call) {
  return in_another_process([&] {
    shim::refuse_system_calls();
    const auto& [a, b, c, d] = call.arguments;
    return syscall(call.number, a, b, c, d) == -1 ? errno : 0;
  });
}

TEST(SystemCalls, ThatReachOutOfASandboxAreRefused) {
  for (const Call& call : kRefused) EXPECT_EQ(error_of(call), call.error) << call.name;
}

TEST(SystemCalls, ThatProgramsNeedAreAllowed) {
  for (const Call& call : kAllowed) EXPECT_EQ(error_of(call), 0) << call.name;
}

TEST(SystemCalls, AreRefusedInEveryProcessThatIsStartedInside) {
  const auto refused = in_another_process([] {
    shim::refuse_system_calls();
    return in_another_process([] { return syscall(SYS_ptrace, PTRACE_TRACEME) == -1 ? errno : 0; });
  });
  EXPECT_EQ(refused, EPERM);
}

}  // namespace
}  // namespace pushrod
