// Running programs: how they end, what they see, and that nothing of them stays behind.
#include "os/command.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "base/error.hh"
#include "base/text.hh"
#include "command_fixtures.hh"
#include "fixtures.hh"
#include "os/files.hh"

namespace pushrod {
namespace {

using namespace std::chrono_literals;
using End = CommandResult::End;

TEST(Run, GathersBothOutputsAndTheExitCode) {
  const CommandResult result = run(shell("echo out; echo err >&2; exit 3"));
  EXPECT_EQ(result.end, End::Exited);
  EXPECT_EQ(result.code, 3);
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
  EXPECT_EQ(result.describe(), "exit code 3");
}

TEST(Run, MergesOutputsInOrder) {
  Command command = shell("echo 1; echo 2 >&2; echo 3");
  command.merge_output = true;
  const CommandResult result = run(command);
  EXPECT_EQ(result.out, "1\n2\n3\n");
  EXPECT_EQ(result.err, "");
}

TEST(Run, TellsWhichSignalKilled) {
  const CommandResult result = run(shell("kill -TERM $$"));
  EXPECT_EQ(result.end, End::Signalled);
  EXPECT_EQ(result.code, SIGTERM);
  EXPECT_EQ(result.describe(), "killed by SIGTERM");
}

TEST(Run, PassesArgumentsAsTheyAre) {
  Command command;
  command.argv = {"printf", "%s|", "two words", "", "$HOME", "*", "it's"};
  EXPECT_EQ(run(command).out, "two words||$HOME|*|it's|");
}

// In a user namespace of its own anybody has capabilities to hand on.
[[noreturn]] void exit_with_what_a_child_gets() {
  constexpr unsigned kPorts = 1U << CAP_NET_BIND_SERVICE;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct ports[2] = {{kPorts, kPorts, kPorts}, {0, 0, 0}};
  if (unshare(CLONE_NEWUSER) != 0 || syscall(SYS_capset, &header, ports) != 0 ||
      prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) != 0) {
    _exit(2);
  }
  const auto status = run(shell("grep -E '^Cap(Prm|Eff|Amb):.*[1-9a-f]' /proc/self/status"));
  _exit(status.code == 1 ? 0 : 1);
}

TEST(Run, HandsNoCapabilityOn) { EXPECT_EXIT(exit_with_what_a_child_gets(), testing::ExitedWithCode(0), ""); }

TEST(Run, GivesTheEnvironmentAndNothingElse) {
  Command command;
  command.argv = {"/usr/bin/env"};
  command.environment = {{"ONE", "1"}, {"TWO", "a b=c"}};
  EXPECT_EQ(run(command).out, "ONE=1\nTWO=a b=c\n");
}

TEST(Run, InputMayBeLongerThanAPipe) {
  Command command;
  command.argv = {"cat"};
  command.input = std::string(3'000'000, 'x') + "end";
  const CommandResult result = run(command);
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.out, command.input);
}

TEST(Run, UnreadInputBreaksNothing) {
  Command command;
  command.argv = {"true"};
  command.input = std::string(3'000'000, 'x');
  EXPECT_TRUE(run(command).ok());
}

TEST(Run, WithoutInputStandardInputIsEmpty) {
  Command command;
  command.argv = {"cat"};
  EXPECT_TRUE(run(command).ok());
}

TEST(Run, TakesADescriptorAsInput) {
  Pipe pipe = make_pipe();
  write_all(pipe.write_end.get(), "through the pipe", "write");
  pipe.write_end.reset();
  Command command;
  command.argv = {"cat"};
  command.input_fd = pipe.read_end.get();
  EXPECT_EQ(run(command).out, "through the pipe");
}

TEST(Run, DeadlineKillsTheWholeGroup) {
  LifeLine life;
  Command command = shell("echo started; sleep 1000 & (sleep 1000 & sleep 1000) & wait");
  command.inherit = {life.held_by_the_living()};
  command.deadline = 200ms;
  const CommandResult result = run(command);
  EXPECT_EQ(result.end, End::TimedOut);
  EXPECT_EQ(result.out, "started\n");
  EXPECT_GE(result.elapsed, 200ms);
  EXPECT_EQ(result.describe(), "ran longer than 200 ms");
  EXPECT_TRUE(life.all_died());
}

TEST(Run, GrandchildThatHoldsThePipeDelaysNothingAndDies) {
  LifeLine life;
  Command command = shell("sleep 1000 & echo done");
  command.inherit = {life.held_by_the_living()};
  const CommandResult result = run(command);
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.out, "done\n");
  EXPECT_TRUE(life.all_died());
}

TEST(Run, ReadsAllThatTheChildWroteBeforeItEnded) {
  // As much as a pipe holds, written in one go right before the end.
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(run(shell("head -c 65536 /dev/zero; head -c 65536 /dev/zero >&2")).out.size(), 65'536U);
  }
}

TEST(Run, OutputCapKillsTheGroup) {
  LifeLine life;
  Command command = shell("sleep 1000 & yes");
  command.inherit = {life.held_by_the_living()};
  command.output_cap = 100'000;
  const CommandResult result = run(command);
  EXPECT_EQ(result.end, End::OutputTooLong);
  EXPECT_EQ(result.out.size(), 100'000U);
  EXPECT_TRUE(life.all_died());
}

TEST(Run, OutputCapCountsBothOutputsAndAllowsExactlyItself) {
  Command command = shell("printf 12345; printf 67890 >&2");
  command.output_cap = 10;
  EXPECT_TRUE(run(command).ok());
  command.output_cap = 9;
  EXPECT_EQ(run(command).end, End::OutputTooLong);
}

TEST(Run, HandsOverChunksInsteadOfGatheringThem) {
  std::string seen;
  Command command = shell("echo out; echo err >&2");
  command.on_output = [&](std::string_view chunk) {
    seen += chunk;
    return true;
  };
  const CommandResult result = run(command);
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(seen.size(), std::string("out\nerr\n").size());
  EXPECT_EQ(result.out + result.err, "");
}

TEST(Run, StopsWhenTheReaderHasEnough) {
  LifeLine life;
  Command command = shell("sleep 1000 & yes");
  command.inherit = {life.held_by_the_living()};
  command.on_output = [](std::string_view) { return false; };
  EXPECT_EQ(run(command).end, End::Stopped);
  EXPECT_TRUE(life.all_died());
}

TEST(Run, ErrorFromTheReaderKillsTheGroup) {
  LifeLine life;
  Command command = shell("yes");
  command.inherit = {life.held_by_the_living()};
  command.on_output = [](std::string_view) -> bool { throw Error("full"); };
  EXPECT_THROW(run(command), Error);
  EXPECT_TRUE(life.all_died());
}

TEST(Run, IsCancelledThroughADescriptor) {
  LifeLine life;
  const UniqueFd cancel(eventfd(0, EFD_CLOEXEC));
  Command command = shell("echo started; sleep 1000");
  command.inherit = {life.held_by_the_living()};
  command.cancel_fd = cancel.get();
  command.on_output = [&](std::string_view) { return eventfd_write(cancel.get(), 1) == 0; };
  const CommandResult result = run(command);
  EXPECT_EQ(result.end, End::Cancelled);
  EXPECT_EQ(result.describe(), "cancelled");
  EXPECT_TRUE(life.all_died());
}

TEST(Run, ClosedPeerOfACancelPipeCancels) {
  Pipe pipe = make_pipe();
  pipe.write_end.reset();
  Command command = shell("sleep 1000");
  command.cancel_fd = pipe.read_end.get();
  EXPECT_EQ(run(command).end, End::Cancelled);
}

TEST(Run, RefusesACancelDescriptorThatIsNone) {
  Command command = shell("sleep 1000");
  command.cancel_fd = 987'654;
  EXPECT_THROW(run(command), SystemError);
}

TEST(Run, StartsInTheDirectory) {
  Command command;
  command.argv = {"pwd"};
  command.directory = "/usr";
  EXPECT_EQ(run(command).out, "/usr\n");
}

TEST(RunChecked, ReturnsStandardOutput) { EXPECT_EQ(run_checked(shell("echo out; echo err >&2")), "out\n"); }

TEST(RunChecked, ErrorNamesProgramEndAndLastLines) {
  try {
    run_checked(shell("for i in $(seq 1 30); do echo \"line $i\" >&2; done; printf '\\033]0;t\\007end' >&2; exit 4"));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "sh failed: exit code 4");
    ASSERT_EQ(error.evidence().size(), 20U);
    EXPECT_EQ(error.evidence().front(), "line 12");
    EXPECT_EQ(error.evidence().back(), "end");
  }
}

TEST(RunChecked, EvidenceIsStandardOutputWhenThereIsNothingElse) {
  try {
    run_checked(shell("echo why; exit 1"));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.evidence(), std::vector<std::string>{"why"});
  }
}

TEST(CommandResult, DescribesEveryEnd) {
  const auto described = [](End end, int code, std::chrono::milliseconds limit) {
    CommandResult result;
    result.end = end;
    result.code = code;
    result.limit = limit;
    return result.describe();
  };
  EXPECT_EQ(described(End::Exited, 0, 0ms), "exit code 0");
  EXPECT_EQ(described(End::Signalled, SIGKILL, 0ms), "killed by SIGKILL");
  EXPECT_EQ(described(End::Signalled, SIGRTMIN + 6, 0ms), "killed by signal " + std::to_string(SIGRTMIN + 6));
  EXPECT_EQ(described(End::TimedOut, 0, 60s), "ran longer than 60 s");
  EXPECT_EQ(described(End::TimedOut, 0, 1500ms), "ran longer than 1.5 s");
  EXPECT_EQ(described(End::TimedOut, 0, 30min), "ran longer than 30 m 00 s");
}

}  // namespace
}  // namespace pushrod
