// Between a service that prints many lines and its logger: lets them gather, so that neither is woken for each line.
// Beside the house (README.md); used by shim.cc.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "shim/parts.hh"

namespace shim {

namespace {

// What a pipe can hold at most, unless root has changed that: 10,000 lines of the router's.
constexpr int kPipe = 1 << 20;
constexpr size_t kChunk = 64 << 10;
constexpr long kPause = 20'000'000;  // nanoseconds
char gathered[kChunk];

void pass_on(const char* begin, size_t size, int to) {
  while (size > 0) {
    const ssize_t written = write(to, begin, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) _exit(0);  // the logger is gone
    begin += written;
    size -= static_cast<size_t>(written);
  }
}

[[noreturn]] void pass_all_on(int to) {
  while (true) {
    // An earlier logger may have left the pipe as one that does not block.
    pollfd input = {0, POLLIN, 0};
    poll(&input, 1, -1);
    const ssize_t got = read(0, gathered, sizeof gathered);
    if (got == 0) _exit(0);
    if (got < 0) {
      if (errno != EINTR && errno != EAGAIN) _exit(111);
      continue;
    }
    pass_on(gathered, static_cast<size_t>(got), to);
    if (static_cast<size_t>(got) == sizeof gathered) continue;
    const timespec pause = {0, kPause};
    nanosleep(&pause, nullptr);
  }
}

}  // namespace

void gather_input() {
  int ends[2];
  if (pipe(ends) != 0) fail("make", "a pipe for the logger");
  const pid_t logger = getpid();
  const pid_t child = fork();
  if (child < 0) fail("start", "what gathers lines");
  if (child != 0) {
    if (dup2(ends[0], 0) < 0) fail("use as input", "a pipe");
    close(ends[0]);
    close(ends[1]);
    return;
  }
  // As the logger (-p), it ends at the end of its input and not by a signal to everything.
  signal(SIGTERM, SIG_IGN);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != logger) _exit(0);
  close(ends[0]);
  fcntl(0, F_SETPIPE_SZ, kPipe);
  pass_all_on(ends[1]);
}

}  // namespace shim
