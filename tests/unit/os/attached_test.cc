// Attached commands: bytes both ways, the end of input, exit codes, hang-ups, terminals.
#include "os/attached.hh"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <random>
#include <thread>

#include "os/pty.hh"

namespace pushrod {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

constexpr Milliseconds kSoon{10'000};

Command shell(const std::string& script) {
  Command command;
  command.argv = {"/bin/sh", "-c", script};
  return command;
}

std::string read_all(int fd) {
  std::string text;
  char buffer[65536];
  for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

void write_to(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = write(fd, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

class Attached : public testing::Test {
 protected:
  void SetUp() override { signal(SIGPIPE, SIG_IGN); }

  // Both sides of a command's three descriptors.
  Pipe in_ = make_pipe();
  Pipe out_ = make_pipe();
  Pipe err_ = make_pipe();
  Attachment pipes() const {
    Attachment attachment;
    attachment.in = in_.read_end.get();
    attachment.out = out_.write_end.get();
    attachment.err = err_.write_end.get();
    attachment.patience = Milliseconds{300};
    return attachment;
  }
};

TEST_F(Attached, KeepsOutputAndErrorApartAndPassesTheExitCode) {
  in_.write_end.reset();
  const auto result = run_attached(shell("echo out; echo err >&2; exit 7"), pipes());
  EXPECT_EQ(result.end, CommandResult::End::Exited);
  EXPECT_EQ(result.code, 7);
  out_.write_end.reset();
  err_.write_end.reset();
  EXPECT_EQ(read_all(out_.read_end.get()), "out\n");
  EXPECT_EQ(read_all(err_.read_end.get()), "err\n");
}

TEST_F(Attached, TellsTheSignalThatKilledIt) {
  const auto result = run_attached(shell("kill -USR1 $$"), pipes());
  EXPECT_EQ(result.end, CommandResult::End::Signalled);
  EXPECT_EQ(result.code, SIGUSR1);
}

TEST_F(Attached, CarriesMegabytesOfAnyBytesBothWaysAndTheEndOfInput) {
  std::string bytes(5 << 20, '\0');
  std::mt19937 random(7);
  for (char& byte : bytes) byte = static_cast<char>(random());
  std::thread writer([&] {
    write_to(in_.write_end.get(), bytes);
    in_.write_end.reset();
  });
  auto read = std::async(std::launch::async, [&] { return read_all(out_.read_end.get()); });
  const auto result = run_attached(shell("cat; echo end >&2"), pipes());
  out_.write_end.reset();
  writer.join();
  EXPECT_TRUE(result.ok());
  EXPECT_TRUE(read.get() == bytes);
}

TEST_F(Attached, DoesNotWaitForInputThatIsNotRead) {
  std::thread writer([&] { write_to(in_.write_end.get(), std::string(1 << 20, 'x')); });
  const auto result = run_attached(shell("exec <&-; sleep 0.1; exit 3"), pipes());
  EXPECT_EQ(result.code, 3);
  in_.read_end.reset();
  writer.join();
}

TEST_F(Attached, ShowsAllThatWasWrittenBeforeTheEndToASlowReader) {
  in_.write_end.reset();
  auto read = std::async(std::launch::async, [&] {
    std::this_thread::sleep_for(Milliseconds{100});
    return read_all(out_.read_end.get()).size();
  });
  EXPECT_TRUE(run_attached(shell("head -c 200000 /dev/zero"), pipes()).ok());
  out_.write_end.reset();
  EXPECT_EQ(read.get(), 200'000u);
}

TEST_F(Attached, EndsTheCommandWhenItsOutputIsNotRead) {
  const Stopwatch watch;
  std::thread reader([&] {
    std::this_thread::sleep_for(Milliseconds{50});
    out_.read_end.reset();
  });
  const auto result = run_attached(shell("exec sleep 1000"), pipes());
  reader.join();
  EXPECT_EQ(result.end, CommandResult::End::Signalled);
  EXPECT_EQ(result.code, SIGHUP);
  EXPECT_LT(watch.elapsed(), kSoon);
}

TEST_F(Attached, TakesTheHalfClosedConnectionOfAnSshServerForNoHangUp) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  UniqueFd theirs(ends[0]), ours(ends[1]);
  write_to(theirs.get(), "all of it\n");
  shutdown(theirs.get(), SHUT_WR);
  auto attachment = pipes();
  attachment.in = attachment.out = ours.get();
  EXPECT_TRUE(run_attached(shell("cat; sleep 0.2; echo done"), attachment).ok());
  ours.reset();
  EXPECT_EQ(read_all(theirs.get()), "all of it\ndone\n");
}

TEST_F(Attached, TakesTheClosedConnectionOfAnSshServerForOne) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  UniqueFd theirs(ends[0]), ours(ends[1]);
  auto attachment = pipes();
  attachment.in = attachment.out = ours.get();
  std::thread client([&] {
    std::this_thread::sleep_for(Milliseconds{50});
    theirs.reset();
  });
  const auto result = run_attached(shell("exec sleep 1000"), attachment);
  client.join();
  EXPECT_EQ(result.code, SIGHUP);
}

TEST_F(Attached, KillsWhatIgnoresItsEndAfterThePatience) {
  const Stopwatch watch;
  std::thread reader([&] {
    char byte = 0;
    EXPECT_EQ(read(out_.read_end.get(), &byte, 1), 1);
    out_.read_end.reset();
  });
  const auto result = run_attached(shell("trap '' HUP TERM; echo; while :; do sleep 0.01; done"), pipes());
  reader.join();
  EXPECT_EQ(result.code, SIGKILL);
  EXPECT_GE(watch.elapsed(), Milliseconds{300});
  EXPECT_LT(watch.elapsed(), kSoon);
}

TEST_F(Attached, EndsTheCommandAtTheDeadline) {
  auto attachment = pipes();
  attachment.deadline = Milliseconds{100};
  const auto result = run_attached(shell("exec sleep 1000"), attachment);
  EXPECT_EQ(result.end, CommandResult::End::TimedOut);
  EXPECT_EQ(result.describe(), "ran longer than 100 ms");
}

TEST_F(Attached, GivesTheDescriptorsThemselvesWhenAsked) {
  auto attachment = pipes();
  attachment.kind = Attachment::Kind::Direct;
  attachment.in = -1;
  attachment.err = attachment.out;
  EXPECT_TRUE(run_attached(shell("cat; echo a; echo b >&2"), attachment).ok());
  out_.write_end.reset();
  EXPECT_EQ(read_all(out_.read_end.get()), "a\nb\n");
}

TEST_F(Attached, LeavesNoSignalBlocked) {
  run_attached(shell("true"), pipes());
  sigset_t after;
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH}) EXPECT_FALSE(sigismember(&after, number));
}

// A person at a terminal: `keyboard_` is the person's side, `screen_` what the program under test has.
class AttachedTerminal : public Attached {
 protected:
  AttachedTerminal() {
    winsize size{33, 111, 0, 0};
    ioctl(terminal_.ours.get(), TIOCSWINSZ, &size);
    fcntl(terminal_.ours.get(), F_SETFL, 0);
  }
  Attachment attachment() {
    auto attachment = pipes();
    attachment.kind = Attachment::Kind::Terminal;
    attachment.in = attachment.out = terminal_.theirs.get();
    return attachment;
  }
  // Reads until the text has come.
  std::string await(const std::string& text) {
    std::string seen;
    char buffer[4096];
    while (seen.find(text) == std::string::npos) {
      const auto got = read(terminal_.ours.get(), buffer, sizeof buffer);
      if (got <= 0) break;
      seen.append(buffer, static_cast<std::size_t>(got));
    }
    return seen;
  }
  PseudoTerminal terminal_ = make_pseudo_terminal(0);
};

TEST_F(AttachedTerminal, GivesATerminalOfItsOwnWithTheSizeOfOurs) {
  auto seen = std::async(std::launch::async, [&] { return await("end"); });
  EXPECT_TRUE(run_attached(shell("tty; stty size; printf end"), attachment()).ok());
  const auto text = seen.get();
  EXPECT_THAT(text, HasSubstr("33 111\r\n"));
  EXPECT_THAT(text, HasSubstr("/dev/pts/"));
  char name[64];
  ASSERT_EQ(ptsname_r(terminal_.ours.get(), name, sizeof name), 0);
  EXPECT_EQ(text.find(std::string(name) + "\r"), std::string::npos) << "it has the person's own terminal";
}

TEST_F(AttachedTerminal, PassesKeysAndResizesAndPutsTheModesBack) {
  termios before{};
  tcgetattr(terminal_.theirs.get(), &before);
  auto person = std::async(std::launch::async, [&] {
    std::string text = await("ready");
    write_to(terminal_.ours.get(), "hello\r");
    return text + await("got hello");
  });
  EXPECT_TRUE(run_attached(shell("stty -echo; printf ready; read line; echo \"got $line\""), attachment()).ok());
  EXPECT_THAT(person.get(), HasSubstr("got hello"));
  termios after{};
  tcgetattr(terminal_.theirs.get(), &after);
  EXPECT_EQ(before.c_lflag, after.c_lflag);
  EXPECT_EQ(before.c_iflag, after.c_iflag);
}

TEST_F(AttachedTerminal, EndsTheCommandWhenTheTerminalIsGone) {
  std::thread person([&] {
    await("ready");
    terminal_.ours.reset();
  });
  const auto result = run_attached(shell("printf ready; exec sleep 1000"), attachment());
  person.join();
  EXPECT_EQ(result.end, CommandResult::End::Signalled);
}

}  // namespace
}  // namespace pushrod
