// Going on in the background: fork, a new session, and a word when the work has begun.
// The other place that forks is child_process.cc, for what becomes another program.
#include "os/background.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include "base/error.hh"
#include "os/command.hh"
#include "os/files.hh"
#include "os/pidfd.hh"
#include "os/retry.hh"
#include "os/unique_fd.hh"

namespace pushrod {

namespace {

void leave_everything() {
  setsid();
  static_cast<void>(signal(SIGHUP, SIG_DFL));
  const UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) throw_errno("open /dev/null");
  for (int number = 0; number < 3; ++number) {
    if (dup2(null.get(), number) < 0) throw_errno("leave the terminal");
  }
}

// What the other half has to say: nothing but a NUL when it has begun, else why it could not.
std::string read_word(int fd) {
  std::string word;
  char buffer[1024];
  for (ssize_t got; (got = retry_interrupted([&] { return read(fd, buffer, sizeof buffer); })) > 0;) {
    word.append(buffer, static_cast<std::size_t>(got));
  }
  return word;
}

}  // namespace

UniqueFd start_copy(const std::function<void()>& work) {
  const int self = own_pidfd();
  const pid_t pid = fork();
  if (pid < 0) throw_errno("start a second process: fork");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pollfd parent{self, POLLIN, 0};
    if (poll(&parent, 1, 0) != 0) _exit(kExitInternal);  // it ended before the line above
    try {
      work();
      _exit(kExitOk);
    } catch (const std::exception& error) {
      fmt::print(stderr, "{}\n", error.what());
      _exit(kExitInternal);
    }
  }
  UniqueFd copy(pidfd_open(pid, 0));
  if (!copy) throw_errno("watch the second process");
  return copy;
}

bool go_to_background(const std::function<void()>& begin) {
  Pipe word = make_pipe();
  const pid_t pid = fork();
  if (pid < 0) throw_errno("go to the background: fork");
  if (pid == 0) {
    word.read_end.reset();
    try {
      leave_everything();
      begin();
      write_all(word.write_end.get(), std::string(1, '\0'), "tell that it has begun");
      return true;
    } catch (const Error& error) {
      static_cast<void>(!write(word.write_end.get(), error.message().data(), error.message().size()));
      _exit(kExitInternal);
    }
  }
  word.write_end.reset();
  const std::string said = read_word(word.read_end.get());
  if (said.size() == 1 && said.front() == '\0') return false;
  throw Error(said.empty() ? "what was to go on in the background was killed" : said);
}

}  // namespace pushrod
