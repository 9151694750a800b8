// pid 1 of an instance's sandbox: starts the app, passes signals on to everything inside, reaps, ends last.
// Beside the house; README.md tells the protocol with keeper.cc.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/parts.hh"

namespace shim {

namespace {

constexpr int kLeftoversMilliseconds = 5'000;  // what outlives the main process gets to end by itself

[[noreturn]] void kill_everything() {
  kill(-1, SIGKILL);
  while (waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
  }
  _exit(0);
}

// Returns when the keeper says so. Ends this process if the keeper is gone, or has to end it before it began.
void await_go() {
  send(kInitSocketFd, &kReady, sizeof kReady, MSG_NOSIGNAL);
  int message = kGo;
  if (recv(kInitSocketFd, &message, sizeof message, 0) != sizeof message) _exit(0);
  if (message == kGo) return;
  send(kInitSocketFd, &message, sizeof message, MSG_NOSIGNAL);
  _exit(0);
}

pid_t start_app(char** argv, const Walls& walls) {
  const pid_t app = fork();
  if (app < 0) fail("fork for", argv[0]);
  if (app != 0) return app;
  setsid();
  // A job's terminal is a new one, which no other session has (src/os/pty.hh). Others have none: this fails.
  ioctl(0, TIOCSCTTY, 0);
  reset_signals();
  prctl(PR_SET_DUMPABLE, 1);  // or its files in /proc would be root's; nothing else is inside yet
  make_own_directories();
  raise_walls(walls);
  become_command(argv);
}

}  // namespace

// pid 1 of an instance: everything in the sandbox is its descendant, kill(-1) reaches exactly that, and it ends last.
void be_init(char** argv, const Walls& walls) {
  prctl(PR_SET_DUMPABLE, 0);  // the app has our uid: no ptrace, no /proc/1/fd
  fcntl(kLockFd, F_SETFD, FD_CLOEXEC);
  fcntl(kInitSocketFd, F_SETFD, FD_CLOEXEC);
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGCHLD);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  const int children = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);

  await_go();
  const pid_t app = start_app(argv, walls);
  int status = 0;
  bool stopping = false;
  uint64_t leftovers_until = 0;
  for (;;) {
    pollfd events[2] = {{children, POLLIN, 0}, {kInitSocketFd, POLLIN, 0}};
    int patience = -1;
    if (leftovers_until != 0) {
      const uint64_t now = milliseconds_now();
      patience = leftovers_until > now ? static_cast<int>(leftovers_until - now) : 0;
    }
    if (poll(events, 2, patience) == 0) {
      send(kInitSocketFd, &status, sizeof status, MSG_NOSIGNAL);
      kill_everything();
    }
    if (events[1].revents != 0) {
      int message = 0;
      if (recv(kInitSocketFd, &message, sizeof message, 0) != sizeof message) kill_everything();
      stopping = stopping || is_stop(message);
      if (message > 0) kill(-1, message);
      if (stopping) kill(-1, SIGCONT);
    }
    signalfd_siginfo event;
    while (read(children, &event, sizeof event) == sizeof event) {
    }
    int how;
    for (pid_t pid; (pid = waitpid(-1, &how, WNOHANG)) != 0;) {
      if (pid < 0) {  // nothing is left
        send(kInitSocketFd, &status, sizeof status, MSG_NOSIGNAL);
        _exit(0);
      }
      if (pid != app) continue;
      status = how;
      // Told to stop, the others have their signal and the time until the deadline; otherwise they get it now.
      if (stopping) continue;
      kill(-1, SIGTERM);
      leftovers_until = milliseconds_now() + kLeftoversMilliseconds;
    }
  }
}

}  // namespace shim
