// Resource limits, and the kernel's order when memory runs out.
// child_process.cc calls this between fork and exec.
#include "os/confinement.hh"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "os/files.hh"

namespace pushrod {

namespace {

constexpr int kBackgroundNiceness = 10;
constexpr const char* kOomScore = "/proc/self/oom_score_adj";

// The work goes on also where the score cannot be written.
void write_oom_score(std::string_view text) noexcept {
  const int fd = open(kOomScore, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  static_cast<void>(!write(fd, text.data(), text.size()));
  close(fd);
}

// Best effort, in the lowest of its levels. The work goes on also where this is refused.
void lower_priority() noexcept {
  constexpr int kProcess = 1;             // IOPRIO_WHO_PROCESS
  constexpr int kLowest = (2 << 13) | 7;  // IOPRIO_CLASS_BE
  static_cast<void>(setpriority(PRIO_PROCESS, 0, kBackgroundNiceness));
  static_cast<void>(syscall(SYS_ioprio_set, kProcess, 0, kLowest));
}

}  // namespace

bool confine(const Confinement& confinement) noexcept {
  if (confinement.ends_first) write_oom_score("1000");
  if (confinement.in_background) lower_priority();
  if (confinement.memory == 0) return true;
  rlimit limit{};
  if (getrlimit(RLIMIT_DATA, &limit) != 0) return false;
  limit.rlim_cur = std::min<rlim_t>(confinement.memory, limit.rlim_max);
  return setrlimit(RLIMIT_DATA, &limit) == 0;
}

int oom_score() { return atoi(read_file(kOomScore).value_or("0").c_str()); }

void leave_confinement(int oom_score) {
  rlimit limit{};
  if (getrlimit(RLIMIT_DATA, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    static_cast<void>(setrlimit(RLIMIT_DATA, &limit));
  }
  write_oom_score(std::to_string(oom_score));
}

}  // namespace pushrod
