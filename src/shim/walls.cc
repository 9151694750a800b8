// Limits, and what Landlock keeps apart: ports that are listened on, abstract sockets, signals.
// Beside the house; system_calls.cc is the other half. README.md tells the words that walls are given in.
#include "shim/walls.hh"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/parts.hh"

namespace shim {

namespace {

// The headers of Debian 12 know Landlock up to version 3.
struct RulesetAttributes {
  uint64_t handled_files;
  uint64_t handled_network;
  uint64_t scoped;
};
struct PortRule {
  uint64_t allowed;
  uint64_t port;
};
constexpr unsigned kAskVersion = 1;
constexpr int kRulePort = 2;
constexpr uint64_t kBindTcp = 1;
constexpr uint64_t kScopeAbstractSockets = 1;
constexpr uint64_t kScopeSignals = 2;
constexpr long kFirstVersionWithPorts = 4;
constexpr long kFirstVersionWithScopes = 6;

void allow_port(int ruleset, uint64_t port) {
  const PortRule rule = {kBindTcp, port};
  if (syscall(SYS_landlock_add_rule, ruleset, kRulePort, &rule, 0) != 0) fail("raise the wall", "Landlock (a port)");
}

// What is not asked for here stays free: files are the mounts' business.
void separate(const uint64_t (&ports)[kMostPorts]) {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, kAskVersion);
  if (version < kFirstVersionWithPorts) return;
  RulesetAttributes attributes = {};
  attributes.handled_network = kBindTcp;
  if (version >= kFirstVersionWithScopes) attributes.scoped = kScopeAbstractSockets | kScopeSignals;
  const long ruleset = syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
  if (ruleset < 0) fail("raise the wall", "Landlock");
  allow_port(static_cast<int>(ruleset), 0);
  for (const uint64_t port : ports) {
    if (port != 0) allow_port(static_cast<int>(ruleset), port);
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) {
    fail("raise the wall", "Landlock");
  }
  close(static_cast<int>(ruleset));
}

void limit(__rlimit_resource resource, const char* what, uint64_t value) {
  if (value == 0) return;
  rlimit now;
  if (getrlimit(resource, &now) != 0) fail("limit", what);
  const rlim_t most = value < now.rlim_max ? value : now.rlim_max;
  const rlimit limits = {most, most};
  if (setrlimit(resource, &limits) != 0) fail("limit", what);
}

// All apps and Pushrod itself share a user id, whose descriptors on their way through sockets and whose pending signals
// are limited by the limits of the process that adds one: what apps may have stays below what Pushrod may have.
void limit_what_users_share(uint64_t open_files) {
  rlimit now;
  if (getrlimit(RLIMIT_NOFILE, &now) != 0) fail("limit", "open files");
  const rlim_t below_ours = now.rlim_max - now.rlim_max / 4;
  limit(RLIMIT_NOFILE, "open files", open_files != 0 && open_files < below_ours ? open_files : below_ours);
  constexpr rlim_t kMostSignals = 4096;  // each timer of timer_create() is one
  if (getrlimit(RLIMIT_SIGPENDING, &now) != 0) fail("limit", "pending signals");
  const rlim_t signals = now.rlim_max / 8 < kMostSignals ? now.rlim_max / 8 : kMostSignals;
  limit(RLIMIT_SIGPENDING, "pending signals", signals == 0 ? 1 : signals);
}

// Without it the kernel might end the router instead. The app starts also when this fails.
void offer_to_die_first(uint64_t score) {
  if (score == 0 || score > 1000) return;
  char text[8];
  char* end = write_number(text, score);
  const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  static_cast<void>(!write(fd, text, static_cast<size_t>(end - text)));
  close(fd);
}

bool take(const char* word, const char* key, uint64_t& value) {
  const size_t length = strlen(key);
  if (strncmp(word, key, length) != 0 || word[length] != '=') return false;
  char* end;
  errno = 0;
  value = strtoull(word + length + 1, &end, 10);
  return errno == 0 && end != word + length + 1 && *end == '\0';
}

bool take_port(const char* word, Walls& walls) {
  uint64_t port = 0;
  if (!take(word, "port", port)) return false;
  for (uint64_t& known : walls.ports) {
    if (known != 0) continue;
    known = port;
    return true;
  }
  return false;
}

}  // namespace

Walls take_walls(char**& words) {
  Walls walls;
  for (; *words != nullptr; ++words) {
    if (strcmp(*words, "--") == 0) {
      if (*++words != nullptr) return walls;
      break;
    }
    if (take_port(*words, walls) || take(*words, "memory", walls.memory) ||
        take(*words, "processes", walls.processes) || take(*words, "open_files", walls.open_files) ||
        take(*words, "oom_score", walls.oom_score)) {
      continue;
    }
    complain("understand", *words, "walls, then -- and a command are expected");
    _exit(100);
  }
  complain("start", "a command", "none is given");
  _exit(100);
}

void raise_walls(const Walls& walls) {
  offer_to_die_first(walls.oom_score);
  limit(RLIMIT_DATA, "memory", walls.memory);
  limit(RLIMIT_NPROC, "processes", walls.processes);
  limit_what_users_share(walls.open_files);
  separate(walls.ports);
  refuse_system_calls();
}

}  // namespace shim
