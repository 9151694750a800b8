// Complaining, and becoming a program: the same in every role of the shim.
// Beside the house (README.md); used by shim.cc, keeper.cc and init.cc.
#include "shim/parts.hh"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace shim {

namespace {

constexpr const char* kSearchPath[] = {"/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/",
                                       "/usr/bin/",        "/sbin/",          "/bin/"};

void say(const char* text) { static_cast<void>(!write(2, text, strlen(text))); }

}  // namespace

void complain(const char* doing, const char* what, const char* why) {
  say("pushrod-shim: ");
  say(doing);
  say(" ");
  say(what);
  say(": ");
  say(why);
  say("\n");
}

void fail(const char* doing, const char* what) {
  complain(doing, what, strerrordesc_np(errno));
  _exit(111);
}

char* write_number(char* to, uint64_t number) {
  char digits[20];
  int count = 0;
  do digits[count++] = static_cast<char>('0' + number % 10);
  while ((number /= 10) != 0);
  while (count > 0) *to++ = digits[--count];
  return to;
}

void join_cgroup(const char* procs) {
  const int group = open(procs, O_WRONLY | O_CLOEXEC);
  if (group < 0 || write(group, "0", 1) != 1) fail("join", procs);
  close(group);
}

uint64_t milliseconds_now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

namespace {

void make_directories(char* path) {
  if (path == nullptr || *path != '/') return;
  for (char* at = path + 1; *at != '\0'; ++at) {
    if (*at != '/') continue;
    *at = '\0';
    mkdir(path, 0700);
    *at = '/';
  }
  mkdir(path, 0700);
}

}  // namespace

void make_own_directories() {
  make_directories(getenv("HOME"));
  make_directories(getenv("XDG_RUNTIME_DIR"));
}

void drop_capabilities() {
  if (getuid() == 0) return;  // the next exec would give them back, and take the parent-death signal away
  clear_capabilities();
}

void clear_capabilities() {
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  if (syscall(SYS_capset, &header, none) != 0) fail("drop", "capabilities");
}

void reset_signals() {
  for (const int number : kPassedOn) static_cast<void>(signal(number, SIG_DFL));
  static_cast<void>(signal(SIGPIPE, SIG_DFL));
  static_cast<void>(signal(SIGCHLD, SIG_DFL));
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void become(char** argv, char** environment) {
  if (strchr(argv[0], '/') != nullptr) {
    execve(argv[0], argv, environment);
    fail("start", argv[0]);
  }
  char path[256];
  for (const char* directory : kSearchPath) {
    if (strlen(directory) + strlen(argv[0]) >= sizeof path) break;
    memcpy(stpcpy(path, directory), argv[0], strlen(argv[0]) + 1);
    execve(path, argv, environment);
    if (errno != ENOENT) fail("start", path);
  }
  errno = ENOENT;
  fail("start", argv[0]);
}

void become_command(char** argv) {
  execvp(argv[0], argv);
  const bool is_missing = errno == ENOENT;
  const bool is_name = strchr(argv[0], '/') == nullptr;
  const char* why = strerrordesc_np(errno);
  say(argv[0]);
  say(": ");
  say(is_missing && is_name ? "command not found" : why);
  say("\n");
  _exit(is_missing ? 127 : 126);
}

}  // namespace shim
