// pid 1 of the sandbox of a build or a release command: starts the command behind the walls, ends with it, and ends
// everything when the process that started the sandbox ends.
// README.md tells why this is not left to bwrap's --die-with-parent.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/parts.hh"

namespace shim {

namespace {

// A new session is a new group for the kernel's scheduler, which does not have this process's priority by itself.
void keep_priority() {
  errno = 0;
  const int priority = getpriority(PRIO_PROCESS, 0);
  if (errno != 0 || priority <= 0) return;
  const int fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  char text[24];
  const char* end = write_number(text, static_cast<uint64_t>(priority));
  static_cast<void>(!write(fd, text, static_cast<size_t>(end - text)));
  close(fd);
}

}  // namespace

void run_for(int starter, char** argv, const Walls& walls) {
  prctl(PR_SET_DUMPABLE, 0);         // the command has our uid: no ptrace, no /proc/1/fd
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // with bwrap, which waits outside for the exit code
  if (starter >= 0) fcntl(starter, F_SETFD, FD_CLOEXEC);
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGCHLD);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  const int children = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
  if (children < 0) fail("make", "a signal descriptor");

  const pid_t command = fork();
  if (command < 0) fail("fork for", argv[0]);
  if (command == 0) {
    setsid();  // away from the terminal of the process that started the sandbox
    reset_signals();
    prctl(PR_SET_DUMPABLE, 1);  // or its files in /proc would be root's; nothing else is inside yet
    keep_priority();
    make_own_directories();
    raise_walls(walls);
    become_command(argv);
  }
  // The kernel kills everything inside when this process ends.
  for (;;) {
    pollfd events[2] = {{children, POLLIN, 0}, {starter, POLLIN, 0}};  // poll() passes over -1
    if (poll(events, 2, -1) < 0 && errno != EINTR) fail("wait for", argv[0]);
    if (events[1].revents != 0) _exit(111);
    signalfd_siginfo event;
    while (read(children, &event, sizeof event) == sizeof event) {
    }
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
      if (pid == command) _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    }
  }
}

}  // namespace shim
