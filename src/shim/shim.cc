// pushrod-shim: what s6-supervise runs as every service's ./run, and pid 1 of every instance's sandbox.
// Beside the house: it uses no room, and README.md here tells its roles and the format of ./spec. It is resident twice
// per instance, so: static, no C++ runtime, no stdio, no heap, and what it has read is unmapped once it is passed on.
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace {

constexpr size_t kSpecCap = 1 << 20;
constexpr int kNotificationFd = 3;  // s6's notification-fd, if the service directory names it
constexpr int kLockFd = 3;          // the keeper's and the sandbox's pid 1's descriptors: README.md
constexpr int kInitSocketFd = 4;    //
constexpr int kQuickDeathMilliseconds = 10'000;
constexpr int kLongestDelaySeconds = 60;
constexpr int kLeftoversMilliseconds = 5'000;  // what outlives the instance's main process gets to end by itself

// Messages between keeper and init: the keeper sends signal numbers and kGo, init sends kReady and then a wait status.
constexpr int kGo = 0;
constexpr int kReady = -1;

const char* const kSearchPath[] = {"/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"};
const int kPassedOn[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};

void say(const char* text) { static_cast<void>(!write(2, text, strlen(text))); }

void complain(const char* doing, const char* what, const char* why) {
  say("pushrod-shim: ");
  say(doing);
  say(" ");
  say(what);
  say(": ");
  say(why);
  say("\n");
}

[[noreturn]] void fail(const char* doing, const char* what) {
  complain(doing, what, strerrordesc_np(errno));
  _exit(111);
}

[[noreturn]] void refuse(const char* what) {
  complain("read", "./spec", what);
  _exit(100);
}

char* write_number(char* to, uint64_t number) {
  char digits[20];
  int count = 0;
  do digits[count++] = static_cast<char>('0' + number % 10);
  while ((number /= 10) != 0);
  while (count > 0) *to++ = digits[--count];
  return to;
}

uint64_t milliseconds_now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

// --- ./spec

struct Spec {
  bool sandbox = false;
  bool keep_capabilities = false;
  bool keep_stderr = false;
  rlim_t open_files = 0;
  const char* lock = nullptr;
  const char* cgroup = nullptr;
  char** argv = nullptr;
  char** environment = nullptr;
  void* mapping = nullptr;  // the file's content, followed by the two vectors
  size_t mapped = 0;
};

const char* value_of(const char* entry, const char* key) {
  const size_t length = strlen(key);
  return strncmp(entry, key, length) == 0 && entry[length] == '=' ? entry + length + 1 : nullptr;
}

Spec read_spec() {
  Spec spec;
  const int fd = open("spec", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) fail("open", "./spec");
  const size_t size = static_cast<size_t>(status.st_size);
  if (size == 0 || size > kSpecCap) refuse("it is empty or longer than 1 MiB");

  // Every entry takes at least two bytes, so that the vectors never need more than this.
  const size_t padded = (size + 15) / 16 * 16;
  spec.mapped = padded + (size / 2 + 4) * sizeof(char*);
  spec.mapping = mmap(nullptr, spec.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (spec.mapping == MAP_FAILED) fail("get memory for", "./spec");
  char* text = static_cast<char*>(spec.mapping);
  size_t got = 0;
  while (got < size) {
    const ssize_t now = read(fd, text + got, size - got);
    if (now <= 0) fail("read", "./spec");
    got += static_cast<size_t>(now);
  }
  close(fd);
  if (text[size - 1] != '\0') refuse("its last entry does not end in a NUL");

  // The arguments grow from the front and the variables from the back; at the end each has its null pointer.
  char** vectors = reinterpret_cast<char**>(text + padded);
  size_t arguments = 0;
  size_t variables = size / 2 + 4;
  vectors[--variables] = nullptr;
  bool has_mode = false;
  for (char* entry = text; entry < text + size; entry += strlen(entry) + 1) {
    if (const char* mode = value_of(entry, "mode")) {
      spec.sandbox = strcmp(mode, "sandbox") == 0;
      has_mode = spec.sandbox || strcmp(mode, "exec") == 0;
    } else if (const char* argument = value_of(entry, "arg")) {
      vectors[arguments++] = const_cast<char*>(argument);
    } else if (const char* variable = value_of(entry, "env")) {
      vectors[--variables] = const_cast<char*>(variable);
    } else if (const char* keep = value_of(entry, "keep_capabilities")) {
      spec.keep_capabilities = *keep == '1';
    } else if (const char* separate = value_of(entry, "keep_stderr")) {
      spec.keep_stderr = *separate == '1';
    } else if (const char* limit = value_of(entry, "open_files")) {
      spec.open_files = strtoul(limit, nullptr, 10);
    } else if (const char* lock = value_of(entry, "lock")) {
      spec.lock = lock;
    } else if (const char* cgroup = value_of(entry, "cgroup")) {
      spec.cgroup = cgroup;
    } else {
      refuse("it has an entry that this version does not know");
    }
  }
  if (!has_mode || arguments == 0) refuse("it names no mode or no program");
  if (spec.sandbox && spec.lock == nullptr) refuse("a sandbox needs a lock");
  vectors[arguments] = nullptr;
  spec.argv = vectors;
  spec.environment = vectors + variables;
  return spec;
}

// --- what a program starts with

void drop_capabilities() {
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  if (syscall(SYS_capset, &header, none) != 0) fail("drop", "capabilities");
}

void reset_signals() {
  for (const int number : kPassedOn) signal(number, SIG_DFL);
  signal(SIGPIPE, SIG_DFL);
  signal(SIGCHLD, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void become(char** argv, char** environment) {
  if (strchr(argv[0], '/') != nullptr) {
    execve(argv[0], argv, environment);
    fail("start", argv[0]);
  }
  char path[256];
  for (const char* directory : kSearchPath) {
    if (strlen(directory) + strlen(argv[0]) >= sizeof path) break;
    strcpy(stpcpy(path, directory), argv[0]);
    execve(path, argv, environment);
    if (errno != ENOENT) fail("start", path);
  }
  errno = ENOENT;
  fail("start", argv[0]);
}

// --- the keeper: between s6-supervise and the sandbox

// s6-supervise holds a POSIX lock while it lives. If it died before we asked for the parent-death signal, nobody would
// ever stop us, and its successor would wait for our lock for ever.
void check_supervisor() {
  const int fd = open("supervise/lock", O_RDWR | O_CLOEXEC);
  if (fd < 0) return;  // started by hand
  struct flock holder = {};
  holder.l_type = F_WRLCK;
  holder.l_whence = SEEK_SET;
  if (fcntl(fd, F_GETLK, &holder) != 0 || holder.l_type == F_UNLCK || holder.l_pid != getppid()) _exit(111);
  close(fd);
}

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
    signal(WTERMSIG(status), SIG_DFL);
    kill(getpid(), WTERMSIG(status));
    _exit(128 + WTERMSIG(status));
  }
  _exit(WEXITSTATUS(status));
}

pid_t start_sandbox(const Spec& spec, int keeper_socket, int signals) {
  const pid_t pid = fork();
  if (pid < 0) fail("fork for", spec.argv[0]);
  if (pid > 0) return pid;
  close(keeper_socket);
  close(signals);
  if (spec.cgroup != nullptr) {
    const int group = open(spec.cgroup, O_WRONLY | O_CLOEXEC);
    if (group < 0 || write(group, "0", 1) != 1) fail("join", spec.cgroup);
    close(group);
  }
  reset_signals();
  become(spec.argv, spec.environment);
}

[[noreturn]] void keep(const Spec& spec) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  check_supervisor();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (getpgrp() != getpid()) setpgid(0, 0);

  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null < 0 || dup2(null, 0) < 0) fail("open", "/dev/null");
  close(null);
  if (spec.open_files != 0) {
    rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = spec.open_files < limit.rlim_max ? spec.open_files : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  const uint64_t quick_deaths = read_quick_deaths();
  hold_back(quick_deaths);

  // One instance (I5): whatever a predecessor left dies within moments of it, and only then is this ours.
  if (open(spec.lock, O_RDWR | O_CREAT | O_NOFOLLOW, 0600) != kLockFd || flock(kLockFd, LOCK_EX) != 0) {
    fail("lock", spec.lock);
  }
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0 || ends[0] != kInitSocketFd) fail("make", "a socket pair");
  const int socket = ends[1];
  fcntl(socket, F_SETFD, FD_CLOEXEC);

  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGCHLD);
  for (const int number : kPassedOn) sigaddset(&mask, number);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  const int signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) fail("make", "a signal descriptor");

  const uint64_t started = milliseconds_now();
  const pid_t bwrap = start_sandbox(spec, socket, signals);
  close(kInitSocketFd);

  bool ready = false;
  bool stopping = false;
  int status = 0;
  bool told = false;
  bool children = true;
  pollfd events[2] = {{signals, POLLIN, 0}, {socket, POLLIN, 0}};
  while (children) {
    if (poll(events, 2, -1) < 0 && errno != EINTR) fail("wait for", "the sandbox");
    for (int message; recv(socket, &message, sizeof message, MSG_DONTWAIT) == sizeof message;) {
      if (message != kReady) {
        status = message;
        told = true;
        continue;
      }
      // The sandbox stands, and its pid 1 is ours. What is left of bwrap only waits, and a stray SIGTERM to it would
      // take the whole sandbox with it: we wait in its place, as its children's reaper.
      ready = true;
      kill(bwrap, SIGKILL);
      waitpid(bwrap, nullptr, 0);
      send(socket, &kGo, sizeof kGo, MSG_NOSIGNAL);
      if (spec.mapping != nullptr) munmap(spec.mapping, spec.mapped);
    }
    if ((events[1].revents & POLLHUP) != 0) events[1].fd = -1;
    for (signalfd_siginfo event; read(signals, &event, sizeof event) == sizeof event;) {
      const int number = static_cast<int>(event.ssi_signo);
      if (number != SIGCHLD) {
        stopping = stopping || number == SIGTERM || number == SIGINT || number == SIGQUIT;
        send(socket, &number, sizeof number, MSG_NOSIGNAL | MSG_DONTWAIT);
        continue;
      }
      int how;
      for (pid_t pid; (pid = waitpid(-1, &how, WNOHANG)) != 0;) {
        if (pid < 0) {
          children = false;
          break;
        }
        if (!told) status = how;
        // bwrap ended before the sandbox stood: by itself it leaves nothing, killed it may leave its stuck child.
        if (pid == bwrap && !ready && WIFSIGNALED(how)) kill(0, SIGKILL);
      }
    }
  }
  int message;
  if (!told && recv(socket, &message, sizeof message, MSG_DONTWAIT) == sizeof message && message != kReady) {
    status = message;
  }
  if (stopping || milliseconds_now() - started >= kQuickDeathMilliseconds) {
    unlink("backoff");
  } else {
    write_backoff(quick_deaths + 1, 0);
  }
  end_as(status);
}

// --- inside the sandbox

// The variables arrive with a '+' before their names, so that none of them (LD_PRELOAD) ever meant anything to bwrap.
void restore_environment(char** environment) {
  char** kept = environment;
  for (char** variable = environment; *variable != nullptr; ++variable) {
    if (**variable == '+') *kept++ = *variable + 1;
  }
  *kept = nullptr;
}

[[noreturn]] void kill_everything() {
  kill(-1, SIGKILL);
  while (waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
  }
  _exit(0);
}

// pid 1 of an instance: everything in the sandbox is its descendant, kill(-1) reaches exactly that, and it ends last.
[[noreturn]] void be_init(char** argv) {
  prctl(PR_SET_DUMPABLE, 0);  // the app has our uid: no ptrace, no /proc/1/fd
  fcntl(kLockFd, F_SETFD, FD_CLOEXEC);
  fcntl(kInitSocketFd, F_SETFD, FD_CLOEXEC);
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGCHLD);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  const int children = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);

  send(kInitSocketFd, &kReady, sizeof kReady, MSG_NOSIGNAL);
  int message = kGo;
  if (recv(kInitSocketFd, &message, sizeof message, 0) != sizeof message) _exit(0);  // the keeper is gone
  if (message != kGo) {                                                              // told to end before it began
    send(kInitSocketFd, &message, sizeof message, MSG_NOSIGNAL);
    _exit(0);
  }
  const pid_t app = fork();
  if (app < 0) fail("fork for", argv[0]);
  if (app == 0) {
    setsid();
    reset_signals();
    become(argv, environ);
  }

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
      if (recv(kInitSocketFd, &message, sizeof message, 0) != sizeof message) kill_everything();
      stopping = stopping || message == SIGTERM || message == SIGINT || message == SIGQUIT;
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

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2 && strcmp(argv[1], "init") == 0) {
    restore_environment(environ);
    be_init(argv + 2);
  }
  if (argc > 2 && strcmp(argv[1], "run") == 0) {
    restore_environment(environ);
    become(argv + 2, environ);
  }

  struct stat notification;
  if (fstat(kNotificationFd, &notification) == 0 && S_ISFIFO(notification.st_mode)) {
    static_cast<void>(!write(kNotificationFd, "\n", 1));
  }
  syscall(SYS_close_range, kNotificationFd, ~0U, 0);
  umask(0077);
  reset_signals();
  const Spec spec = read_spec();
  if (!spec.keep_stderr && dup2(1, 2) < 0) fail("use the log for", "standard error");
  if (!spec.keep_capabilities) drop_capabilities();
  if (spec.sandbox) keep(spec);
  become(spec.argv, spec.environment);
}
