// The system calls that nothing in a sandbox may make, as a seccomp program that is put together by the compiler.
// Beside the house; half of the walls (walls.hh). README.md tells why each is on the list. What a libc or a runtime
// tries first and can do without is answered as by a kernel that lacks it; everything else with EPERM.
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <initializer_list>

#include "shim/parts.hh"
#include "shim/walls.hh"

namespace shim {

namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
constexpr uint32_t kFirstX32Call = 0x40000000;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "system_calls.cc does not know the system calls of this architecture"
#endif
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the low half of an argument is expected at its beginning");

constexpr uint32_t kOpenTreeAttr = 467;  // younger than our headers
constexpr uint32_t kTypeOfSocket = 0xf;  // the rest of the argument are flags
constexpr uint32_t kNamespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
constexpr uint32_t kTimeNamespace = 0x80;  // of unshare() alone: for clone() the bit belongs to the exit signal

class Filter {
 public:
  constexpr Filter() {
    load(offsetof(seccomp_data, arch));
    add(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0);
    add(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    load(offsetof(seccomp_data, nr));
#if defined(__x86_64__)
    add(BPF_JMP | BPF_JGE | BPF_K, kFirstX32Call, 0, 1);
    refuse(ENOSYS);
#endif
  }

  // What stands between begin_if() and end_if() is about this value alone, and must allow or refuse in the end.
  constexpr unsigned short begin_if(uint32_t value) {
    add(BPF_JMP | BPF_JEQ | BPF_K, value);
    return length_;
  }
  constexpr void end_if(unsigned short begin) { code_[begin - 1].jf = static_cast<uint8_t>(length_ - begin); }

  // Only for arguments that the kernel takes as 32 bits: a program gains nothing from what it puts into the others.
  constexpr void load_argument(unsigned number) { load(offsetof(seccomp_data, args) + number * sizeof(uint64_t)); }
  constexpr void mask(uint32_t bits) { add(BPF_ALU | BPF_AND | BPF_K, bits); }
  constexpr void refuse_any_of(std::initializer_list<uint32_t> values, int error = EPERM) {
    for (const uint32_t value : values) {
      add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
      refuse(error);
    }
  }
  constexpr void refuse_others_than(std::initializer_list<uint32_t> values, int error) {
    uint8_t left = static_cast<uint8_t>(values.size());
    for (const uint32_t value : values) add(BPF_JMP | BPF_JEQ | BPF_K, value, left--, 0);
    refuse(error);
  }
  constexpr void refuse_bits(uint32_t bits) {
    add(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    refuse(EPERM);
  }
  constexpr void refuse(int error) { add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<uint32_t>(error)); }
  constexpr void allow() { add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW); }

  constexpr const sock_filter* code() const { return code_; }
  constexpr unsigned short length() const { return length_; }

 private:
  constexpr void load(unsigned long offset) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset)); }
  constexpr void add(uint16_t instruction, uint32_t value, uint8_t if_true = 0, uint8_t if_false = 0) {
    code_[length_++] = {instruction, if_true, if_false, value};
  }

  sock_filter code_[128] = {};
  unsigned short length_ = 0;
};

// TCP and UDP, sockets of this machine, and the kernel's list of addresses. Landlock's rule about ports knows TCP
// alone, so nothing else may listen on one: not MPTCP, SCTP, SMC or DCCP.
constexpr void add_socket(Filter& filter) {
  const auto call = filter.begin_if(SYS_socket);
  filter.load_argument(0);
  const auto local = filter.begin_if(AF_UNIX);
  filter.allow();
  filter.end_if(local);
  const auto netlink = filter.begin_if(AF_NETLINK);
  filter.load_argument(2);
  filter.refuse_others_than({NETLINK_ROUTE}, EPROTONOSUPPORT);
  filter.allow();
  filter.end_if(netlink);
  filter.refuse_others_than({AF_INET, AF_INET6}, EAFNOSUPPORT);
  filter.load_argument(1);
  filter.mask(kTypeOfSocket);
  filter.refuse_others_than({SOCK_STREAM, SOCK_DGRAM}, ESOCKTNOSUPPORT);
  filter.load_argument(2);
  filter.refuse_others_than({0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6}, EPROTONOSUPPORT);
  filter.allow();
  filter.end_if(call);
}

constexpr void add_ioctl(Filter& filter) {
  const auto call = filter.begin_if(SYS_ioctl);
  filter.load_argument(1);
  filter.refuse_any_of({TIOCSTI, TIOCLINUX, TIOCSETD});
  filter.allow();
  filter.end_if(call);
}

constexpr void add_namespaces(Filter& filter) {
  const auto clone = filter.begin_if(SYS_clone);
  filter.load_argument(0);
  filter.refuse_bits(kNamespaces);
  filter.allow();
  filter.end_if(clone);
  filter.refuse_any_of({SYS_clone3}, ENOSYS);  // its flags lie in memory; every libc then takes clone()
  const auto unshare = filter.begin_if(SYS_unshare);
  filter.load_argument(0);
  filter.refuse_bits(kNamespaces | kTimeNamespace);
  filter.allow();
  filter.end_if(unshare);
  filter.refuse_any_of({SYS_setns});
}

constexpr Filter make_filter() {
  Filter filter;
  add_socket(filter);
  add_ioctl(filter);
  add_namespaces(filter);
  filter.refuse_any_of({SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_getfd, SYS_kcmp});
  filter.refuse_any_of({SYS_keyctl, SYS_add_key, SYS_request_key});
  filter.refuse_any_of({SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_move_mount, SYS_open_tree, SYS_fsopen,
                        SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr, kOpenTreeAttr,
                        SYS_open_by_handle_at});
  filter.refuse_any_of({SYS_bpf, SYS_perf_event_open, SYS_userfaultfd});
  filter.refuse_any_of({SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_kexec_file_load});
#if defined(__x86_64__)
  filter.refuse_any_of({SYS_modify_ldt});
#endif
  // It makes sockets, and much else, without the system calls that are looked at here.
  filter.refuse_any_of({SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register}, ENOSYS);
  filter.allow();
  return filter;
}

constexpr Filter kFilter = make_filter();

}  // namespace

void refuse_system_calls() {
  const sock_fprog program = {kFilter.length(), const_cast<sock_filter*>(kFilter.code())};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    fail("raise the wall", "seccomp");
  }
}

}  // namespace shim
