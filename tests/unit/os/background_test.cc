// Going on in the background: as one process sees it that a test has started.
#include "os/background.hh"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.hh"
#include "os/unique_fd.hh"

namespace pushrod {
namespace {

struct Halves {
  int foreground = 0;      // exit code of the one that was started
  std::string background;  // what the other wrote
};

// In a process of its own, since it becomes two.
template <class Begin, class Work>
Halves split(Begin begin, Work work) {
  Pipe result = make_pipe();
  const pid_t pid = fork();
  if (pid == 0) {
    try {
      const bool goes_on = go_to_background([&] { begin(result.write_end.get()); });
      if (goes_on) work(result.write_end.get());
      _exit(goes_on ? 0 : 3);
    } catch (const Error& error) {
      _exit(error.message() == "no" ? 4 : 5);
    }
  }
  result.write_end.reset();
  int status = 0;
  waitpid(pid, &status, 0);
  Halves halves{WEXITSTATUS(status), {}};
  char buffer[100];
  for (ssize_t got; (got = read(result.read_end.get(), buffer, sizeof buffer)) > 0;) {
    halves.background.append(buffer, static_cast<std::size_t>(got));
  }
  return halves;
}

TEST(Background, TheOneThatWasStartedReturnsOnceTheOtherHasBegun) {
  const auto halves = split([](int fd) { dprintf(fd, "begun "); },
                            [](int fd) { dprintf(fd, "%s", getsid(0) == getpid() ? "own session" : "same session"); });
  EXPECT_EQ(halves.foreground, 3);
  EXPECT_EQ(halves.background, "begun own session");
}

TEST(Background, TheOtherHoldsNoDescriptorOfItsStarter) {
  const auto halves = split([](int) {},
                            [](int fd) {
                              char name[100] = {};
                              const auto size = readlink("/proc/self/fd/1", name, sizeof name - 1);
                              dprintf(fd, "%.*s", static_cast<int>(size), name);
                            });
  EXPECT_EQ(halves.background, "/dev/null");
}

TEST(Background, WhatFailsThereIsThrownHere) {
  const auto halves = split([](int) { throw Error("no"); }, [](int fd) { dprintf(fd, "went on"); });
  EXPECT_EQ(halves.foreground, 4);
  EXPECT_EQ(halves.background, "");
}

TEST(Background, ADeathThereIsAnErrorHere) {
  const auto halves = split([](int) { _exit(9); }, [](int) {});
  EXPECT_EQ(halves.foreground, 5);
}

TEST(Background, ACopyEndsWithItsWork) {
  Pipe word = make_pipe();
  const auto copy = start_copy([&] { dprintf(word.write_end.get(), "done"); });
  char text[5] = {};
  EXPECT_EQ(read(word.read_end.get(), text, 4), 4);
  EXPECT_STREQ(text, "done");
  pollfd end{copy.get(), POLLIN, 0};
  EXPECT_EQ(poll(&end, 1, 10'000), 1);
  siginfo_t how{};
  EXPECT_EQ(waitid(P_PIDFD, static_cast<id_t>(copy.get()), &how, WEXITED), 0);
  EXPECT_EQ(how.si_status, 0);
}

TEST(Background, ACopyEndsWithTheProcessThatStartedIt) {
  Pipe alive = make_pipe();  // its write end is open for as long as the copy lives
  const pid_t pid = fork();
  if (pid == 0) {
    static_cast<void>(start_copy([] { pause(); }).release());
    _exit(0);
  }
  alive.write_end.reset();
  int status = 0;
  waitpid(pid, &status, 0);
  pollfd end{alive.read_end.get(), POLLIN, 0};
  EXPECT_EQ(poll(&end, 1, 10'000), 1);
  char byte = 0;
  EXPECT_EQ(read(alive.read_end.get(), &byte, 1), 0);
}

}  // namespace
}  // namespace pushrod
