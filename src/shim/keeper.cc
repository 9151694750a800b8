// The keeper: between s6-supervise and an instance's sandbox. Starts it, passes signals on, ends as the app did.
// Beside the house; README.md tells the protocol with init.cc, and who dies when.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shim/output.hh"
#include "shim/parts.hh"

namespace shim {

namespace {

constexpr int kQuickDeathMilliseconds = 10'000;
constexpr int kLongestDelaySeconds = 60;

// ./backoff: how many times in a row the instance died quickly, and until when (CLOCK_MONOTONIC) it is held back.
uint64_t read_quick_deaths() {
  char text[64] = {};
  const int fd = open("backoff", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return 0;
  static_cast<void>(!read(fd, text, sizeof text - 1));
  close(fd);
  return strtoul(text, nullptr, 10);
}

void write_backoff(uint64_t quick_deaths, uint64_t until) {
  char text[64];
  char* end = write_number(text, quick_deaths);
  *end++ = ' ';
  end = write_number(end, until);
  *end++ = '\n';
  const int fd = open("backoff", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return;  // a full disk must not keep the instance down
  static_cast<void>(!write(fd, text, static_cast<size_t>(end - text)));
  close(fd);
}

// 0, 1, 2, 4, … 60 seconds, beside the second that s6-supervise itself puts between two starts. A stop signal ends us
// here by its default action.
void hold_back(uint64_t quick_deaths) {
  if (quick_deaths < 2) return;
  const uint64_t shift = quick_deaths - 2;
  const uint64_t seconds = shift > 5 ? kLongestDelaySeconds : uint64_t{1} << shift;
  write_backoff(quick_deaths, milliseconds_now() + seconds * 1000);
  timespec left = {static_cast<time_t>(seconds), 0};
  while (nanosleep(&left, &left) != 0) {
  }
}

[[noreturn]] void end_as(int status) {
  if (WIFSIGNALED(status)) {
    const rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    reset_signals();
    static_cast<void>(signal(WTERMSIG(status), SIG_DFL));
    kill(getpid(), WTERMSIG(status));
    _exit(128 + WTERMSIG(status));
  }
  _exit(WEXITSTATUS(status));
}

// `output`: where it prints to; -1: where this process does.
pid_t start_sandbox(const Spec& spec, int keeper_socket, int signals, int output) {
  const pid_t pid = fork();
  if (pid < 0) fail("fork for", spec.argv[0]);
  if (pid > 0) return pid;
  if (output >= 0 && (dup2(output, 1) < 0 || (!spec.keep_stderr && dup2(output, 2) < 0))) fail("pass on", "output");
  close(keeper_socket);
  close(signals);
  if (spec.cgroup != nullptr) join_cgroup(spec.cgroup);
  reset_signals();
  become(spec.argv, spec.environment);
}

// The log is complete before s6 reports the end, so that its last lines explain it.
void let_log_be_read() {
  for (int tries = 0; tries < 100; ++tries) {
    int unread = 0;
    if (ioctl(1, FIONREAD, &unread) != 0 || unread == 0) return;
    const timespec pause = {0, 2'000'000};
    nanosleep(&pause, nullptr);
  }
}

void prepare(const Spec& spec) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (getpgrp() != getpid()) setpgid(0, 0);
  if (!spec.keep_stdin) {
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0) fail("open", "/dev/null");
    close(null);
  }
}

// One instance (I5): what a predecessor left dies within moments, and only then can this lock be taken.
void lock_instance(const char* path) {
  if (open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600) != kLockFd || flock(kLockFd, LOCK_EX) != 0) fail("lock", path);
}

int make_signal_descriptor() {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGCHLD);
  for (const int number : kPassedOn) sigaddset(&mask, number);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  static_cast<void>(signal(SIGPIPE, SIG_IGN));  // the end of the log is not the end of the app
  const int signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) fail("make", "a signal descriptor");
  return signals;
}

// What the keeper knows of its sandbox.
struct Sandbox {
  int socket = -1;  // to init
  pid_t bwrap = -1;
  bool ready = false;           // init runs and is our child
  bool stopping = false;        // a stop was requested
  uint64_t second_stop_at = 0;  // 0: not asked for, or done
  bool gone = false;            // nothing is left
  bool told = false;            // init said how the app ended
  int status = 0;               // how it ended, as far as we know
};

void read_messages(Sandbox& sandbox, const Spec& spec) {
  for (int message; recv(sandbox.socket, &message, sizeof message, MSG_DONTWAIT) == sizeof message;) {
    if (message != kReady) {
      sandbox.status = message;
      sandbox.told = true;
      continue;
    }
    if (sandbox.gone) continue;
    // The sandbox stands, and its pid 1 is to be ours. What is left of bwrap only waits, and a stray SIGTERM to it
    // would take the whole sandbox with it: we wait in its place, as the reaper of its children.
    sandbox.ready = true;
    kill(sandbox.bwrap, SIGKILL);
    waitpid(sandbox.bwrap, nullptr, 0);
    send(sandbox.socket, &kGo, sizeof kGo, MSG_NOSIGNAL);
    munmap(spec.mapping, spec.mapped);
  }
}

void reap(Sandbox& sandbox) {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) != 0;) {
    if (pid < 0) {
      sandbox.gone = true;
      return;
    }
    if (!sandbox.told) sandbox.status = status;
    // bwrap ended before the sandbox stood: by itself it leaves nothing; killed, it may leave its child, stuck.
    if (pid == sandbox.bwrap && !sandbox.ready && WIFSIGNALED(status)) kill(0, SIGKILL);
  }
}

int patience_of(const Sandbox& sandbox) {
  if (sandbox.second_stop_at == 0) return -1;
  const uint64_t now = milliseconds_now();
  return sandbox.second_stop_at > now ? static_cast<int>(sandbox.second_stop_at - now) : 0;
}

void send_second_stop(Sandbox& sandbox, int number) {
  if (sandbox.second_stop_at == 0 || milliseconds_now() < sandbox.second_stop_at) return;
  sandbox.second_stop_at = 0;
  send(sandbox.socket, &number, sizeof number, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void read_signals(Sandbox& sandbox, int signals, uint64_t second_stop_after) {
  for (signalfd_siginfo event; read(signals, &event, sizeof event) == sizeof event;) {
    const int number = static_cast<int>(event.ssi_signo);
    if (number == SIGCHLD) {
      reap(sandbox);
    } else {
      if (is_stop(number) && !sandbox.stopping) {
        sandbox.stopping = true;
        if (second_stop_after != 0) sandbox.second_stop_at = milliseconds_now() + second_stop_after;
      }
      send(sandbox.socket, &number, sizeof number, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
  }
}

}  // namespace

void keep(const Spec& spec) {
  prepare(spec);
  const uint64_t quick_deaths = read_quick_deaths();
  hold_back(quick_deaths);
  lock_instance(spec.lock);
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0 || ends[0] != kInitSocketFd) fail("make", "a socket pair");
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  // A job with standard input has a terminal or a pipe of a client's, not a log.
  const int output_end = spec.keep_stdin ? -1 : Output::open();
  const int signals = make_signal_descriptor();

  const uint64_t started = milliseconds_now();
  // The spec is gone once the sandbox stands.
  const int second_stop = spec.second_stop;
  const uint64_t second_stop_after = second_stop != 0 ? spec.second_stop_after : 0;
  Sandbox sandbox;
  sandbox.socket = ends[1];
  sandbox.bwrap = start_sandbox(spec, sandbox.socket, signals, output_end);
  close(kInitSocketFd);
  if (output_end >= 0) close(output_end);
  Output output;
  pollfd events[3] = {{signals, POLLIN, 0}, {sandbox.socket, POLLIN, 0}, {-1, 0, 0}};
  while (!sandbox.gone) {
    if (!spec.keep_stdin) events[2] = output.event();
    if (poll(events, 3, patience_of(sandbox)) < 0 && errno != EINTR) fail("wait for", "the sandbox");
    if (events[2].revents != 0) output.pass_on();
    read_messages(sandbox, spec);
    if ((events[1].revents & POLLHUP) != 0) events[1].fd = -1;
    read_signals(sandbox, signals, second_stop_after);
    send_second_stop(sandbox, second_stop);
  }
  read_messages(sandbox, spec);

  if (sandbox.stopping || milliseconds_now() - started >= kQuickDeathMilliseconds) {
    unlink("backoff");
  } else {
    write_backoff(quick_deaths + 1, 0);
  }
  if (!spec.keep_stdin) {
    output.finish();
    let_log_be_read();
  }
  end_as(sandbox.status);
}

}  // namespace shim
