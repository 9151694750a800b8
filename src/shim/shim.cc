// pushrod-shim: what s6-supervise runs as every service's ./run, and what bwrap runs inside a sandbox.
// Beside the house: it uses no room, and README.md here tells its roles and the format of ./spec. It is resident twice
// per instance, so: static, no C++ runtime, no stdio, no heap, and what it has read is unmapped once it is passed on.
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/parts.hh"

using namespace shim;

namespace {

constexpr int kNotificationFd = 3;  // s6's notification-fd, if the service directory names it
constexpr int kFirstListener = 60;  // src/router/listeners.hh

// s6-supervise holds a POSIX lock while it lives. If it died before we asked for the parent-death signal, no process
// would ever stop us, and its successor would wait for our lock without an end.
void die_with_supervisor() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int fd = open("supervise/lock", O_RDWR | O_CLOEXEC);
  if (fd < 0) return;  // started by hand
  struct flock holder = {};
  holder.l_type = F_WRLCK;
  holder.l_whence = SEEK_SET;
  if (fcntl(fd, F_GETLK, &holder) != 0 || holder.l_type == F_UNLCK || holder.l_pid != getppid()) _exit(111);
  close(fd);
}

// The variables arrive with a '+' before their names, so that none of them (LD_PRELOAD) ever meant anything to bwrap.
void restore_environment(char** environment) {
  char** kept = environment;
  for (char** variable = environment; *variable != nullptr; ++variable) {
    if (**variable == '+') *kept++ = *variable + 1;
  }
  *kept = nullptr;
}

// "starter=7": a pidfd of the process that started the sandbox. -1 without it.
int take_starter(char**& words) {
  constexpr char kStarter[] = "starter=";
  constexpr size_t kLength = sizeof kStarter - 1;
  if (*words == nullptr || strncmp(*words, kStarter, kLength) != 0) return -1;
  int fd = 0;
  for (const char* digit = *words + kLength; *digit >= '0' && *digit <= '9'; ++digit) fd = fd * 10 + (*digit - '0');
  ++words;
  return fd;
}

// "inotify=64": how many inotify instances the sandbox may have. The kernel counts them per user id, too, which all
// apps share, so that one without a limit could take all. A kernel that does not let a user namespace set it has no
// limit.
void take_inotify(char**& words) {
  constexpr char kInotify[] = "inotify=";
  constexpr size_t kLength = sizeof kInotify - 1;
  if (*words == nullptr || strncmp(*words, kInotify, kLength) != 0) return;
  const char* number = *words + kLength;
  ++words;
  const int fd = open("/proc/sys/user/max_inotify_instances", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  static_cast<void>(!write(fd, number, strlen(number)));
  close(fd);
}

// What the sandbox was given for its preparation.
void give_up_capabilities() {
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  clear_capabilities();
}

void close_from(int first, unsigned last = ~0U) { syscall(SYS_close_range, first, last, 0); }

// Told as soon as we run; nothing else that s6 or its parents left open goes any further. The spec tells whether the
// sockets of the router do.
void notify_and_close() {
  struct stat notification;
  if (fstat(kNotificationFd, &notification) == 0 && S_ISFIFO(notification.st_mode)) {
    static_cast<void>(!write(kNotificationFd, "\n", 1));
  }
  close_from(kNotificationFd, kFirstListener - 1);
}

}  // namespace

int main(int argc, char** argv) {
  const char* role = argc > 2 ? argv[1] : "";
  if (strcmp(role, "init") == 0) {
    restore_environment(environ);
    char** command = argv + 2;
    take_inotify(command);
    take_mounts(command);
    give_up_capabilities();
    const Walls walls = take_walls(command);
    be_init(command, walls);
  }
  if (strcmp(role, "run") == 0) {
    restore_environment(environ);
    char** command = argv + 2;
    const int starter = take_starter(command);
    take_inotify(command);
    take_mounts(command);
    give_up_capabilities();
    const Walls walls = take_walls(command);
    run_for(starter, command, walls);
  }
  if (strcmp(role, "join") == 0 && argc > 3) {
    join_cgroup(argv[2]);
    become(argv + 3, environ);
  }
  notify_and_close();
  umask(0077);
  reset_signals();
  die_with_supervisor();
  // The log is the right place for complaints, ours about the spec included; only the logger itself has none.
  const int tree_stderr = fcntl(2, F_DUPFD_CLOEXEC, kNotificationFd);
  if (tree_stderr < 0 || dup2(1, 2) < 0) fail("use the log for", "standard error");
  const Spec spec = read_spec();
  if (spec.keep_stderr) dup2(tree_stderr, 2);
  close(tree_stderr);
  if (!spec.keep_listeners) close_from(kFirstListener);
  drop_capabilities();
  if (spec.sandbox) keep(spec);
  if (spec.gather) gather_input();
  become(spec.argv, spec.environment);
}
