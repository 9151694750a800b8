// Running programs: how they end, what they see, and that nothing of them stays behind.
#include "os/command.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/error.hh"
#include "base/text.hh"
#include "fixtures.hh"
#include "os/files.hh"

namespace pushrod {
namespace {

using namespace std::chrono_literals;
using End = CommandResult::End;

Command shell(const std::string& script) {
  Command command;
  command.argv = {"sh", "-c", script};
  return command;
}

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

TEST(Run, InputThatNobodyReadsBreaksNothing) {
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

std::string message_of_failed_start(const Command& command) {
  try {
    run(command);
  } catch (const Error& error) {
    return error.message();
  }
  return "it started";
}

TEST(Start, FailureNamesTheStage) {
  Command lookup;
  lookup.argv = {"no-such-program"};
  EXPECT_EQ(message_of_failed_start(lookup), "start \"no-such-program\": lookup: no such program on the PATH");

  Command chdir;
  chdir.argv = {"true"};
  chdir.directory = "/no/such/directory";
  EXPECT_EQ(message_of_failed_start(chdir),
            "start \"true\": chdir to \"/no/such/directory\": No such file or directory");

  Command exec;
  exec.argv = {"/etc/passwd"};
  EXPECT_EQ(message_of_failed_start(exec), "start \"/etc/passwd\": exec \"/etc/passwd\": Permission denied");

  Command inherit;
  inherit.argv = {"true"};
  inherit.inherit = {987'654};
  EXPECT_EQ(message_of_failed_start(inherit), "start \"true\": inherited descriptors: Bad file descriptor");
}

TEST(Start, RefusesWhatExecWouldCut) {
  Command nul;
  nul.argv = {"true", std::string("a\0b", 3)};
  EXPECT_NE(message_of_failed_start(nul).find("NUL"), std::string::npos);
  Command variable;
  variable.argv = {"true"};
  variable.environment["A"] = std::string("a\0b", 3);
  EXPECT_NE(message_of_failed_start(variable).find("NUL"), std::string::npos);
  EXPECT_NE(message_of_failed_start(Command{}).find("no name"), std::string::npos);
}

class StartInDirectory : public InTemporaryDirectory {};

TEST_F(StartInDirectory, MissingInterpreterIsExplained) {
  write_file(root_ / "script", "#!/no/such/interpreter\n", 0755);
  Command command;
  command.argv = {root_ / "script"};
  try {
    run(command);
    FAIL() << "it started";
  } catch (const SystemError& error) {
    EXPECT_EQ(error.code(), ENOENT);
    EXPECT_NE(error.hint().find("interpreter"), std::string::npos);
  }
}

TEST(Start, FailedStartLeavesNoZombie) {
  Command command;
  command.argv = {"/etc/passwd"};
  EXPECT_THROW(run(command), SystemError);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(Start, ChildHasDefaultSignalsAndABlankMask) {
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &before);
  sigset_t blocked;
  sigset_t mask_before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &mask_before);
  Command command;
  command.argv = {"grep", "-E", "^Sig(Blk|Ign):", "/proc/self/status"};
  const std::string seen = run(command).out;
  sigset_t mask_after;
  pthread_sigmask(SIG_SETMASK, &mask_before, &mask_after);
  sigaction(SIGPIPE, &before, nullptr);
  EXPECT_EQ(seen, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  EXPECT_EQ(sigismember(&mask_after, SIGTERM), 1) << "our own mask is as it was";
  EXPECT_EQ(sigismember(&mask_after, SIGINT), 0);
}

TEST(Start, ChildInheritsOnlyWhatItIsGiven) {
  // High numbers, which the shell does not take for itself.
  const UniqueFd leaked(fcntl(STDIN_FILENO, F_DUPFD, 200));  // somebody's, without close-on-exec
  const UniqueFd given(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 300));
  Command command = shell("for fd in /proc/$$/fd/*; do echo ${fd##*/}; done");
  command.inherit = {given.get()};
  const std::vector<std::string> seen = lines_of(run(command).out);
  const auto sees = [&](int fd) { return std::count(seen.begin(), seen.end(), std::to_string(fd)) > 0; };
  EXPECT_TRUE(sees(0) && sees(1) && sees(2) && sees(given.get())) << join(seen, " ");
  EXPECT_FALSE(sees(leaked.get())) << join(seen, " ");
  EXPECT_NE(fcntl(given.get(), F_GETFD) & FD_CLOEXEC, 0) << "ours stays close-on-exec";
}

TEST(Start, ChildLeadsAGroupOfItsOwn) {
  const CommandResult result = run(shell("echo $$; ps -o pgid= -p $$"));
  const std::vector<std::string> lines = lines_of(result.out);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], trim(lines[1]));
}

// Runs the body in a process of its own; its exit code.
template <typename Body>
int in_another_process(const Body& body) {
  const pid_t pid = fork();
  if (pid == 0) {
    try {
      _exit(body());
    } catch (...) {
      _exit(99);
    }
  }
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(Start, WorksWithoutStandardDescriptorsOfOurOwn) {
  const int code = in_another_process([] {
    for (const int fd : {0, 1, 2}) close(fd);
    Command command = shell("cat; echo err >&2");
    command.input = "in";
    const CommandResult result = run(command);
    return result.ok() && result.out == "in" && result.err == "err\n" ? 0 : 1;
  });
  EXPECT_EQ(code, 0);
}

TEST(Start, ChildDiesWithItsParent) {
  LifeLine life;
  const int code = in_another_process([&] {
    Command command;
    command.argv = {"sleep", "1000"};
    command.inherit = {life.held_by_the_living()};
    const ChildProcess child = ChildProcess::start(command, -1, -1, -1);
    return raise(SIGKILL);
  });
  EXPECT_EQ(code, -SIGKILL);
  EXPECT_TRUE(life.all_died());
}

TEST(Start, ChildMayOutliveItsParentWhenAsked) {
  Pipe pipe = make_pipe();
  const int code = in_another_process([&] {
    // Ends when the test closes its end; says so afterwards.
    Command command;
    command.argv = {"sh", "-c", "read word; echo survived"};
    command.die_with_parent = false;
    Pipe input = make_pipe();
    const ChildProcess child = ChildProcess::start(command, input.read_end.get(), pipe.write_end.get(), -1);
    return raise(SIGKILL);
  });
  EXPECT_EQ(code, -SIGKILL);
  pipe.write_end.reset();
  std::string said(64, '\0');
  ASSERT_TRUE(wait_for(pipe.read_end.get(), POLLIN, Deadline(kPatience)));
  said.resize(static_cast<std::size_t>(read(pipe.read_end.get(), said.data(), said.size())));
  EXPECT_EQ(said, "survived\n");
}

TEST(ChildProcess, WaitsAtMostAsLongAsAsked) {
  Command command;
  command.argv = {"sleep", "1000"};
  ChildProcess child = ChildProcess::start(command, -1, -1, -1);
  EXPECT_FALSE(child.wait(0ms));
  EXPECT_FALSE(child.wait(20ms));
  child.signal(SIGTERM);
  const auto result = child.wait(kPatience);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->describe(), "killed by SIGTERM");
  EXPECT_THROW(child.wait(0ms), Error);
}

TEST(ChildProcess, DestructorKillsTheGroupAndReaps) {
  LifeLine life;
  pid_t pid = -1;
  {
    Command command = shell("sleep 1000 & sleep 1000");
    command.inherit = {life.held_by_the_living()};
    ChildProcess child = ChildProcess::start(command, -1, -1, -1);
    pid = child.pid();
    const ChildProcess moved = std::move(child);
    EXPECT_EQ(moved.pid(), pid);
  }
  EXPECT_TRUE(life.all_died());
  EXPECT_EQ(waitpid(pid, nullptr, WNOHANG), -1);
}

TEST(ChildProcess, EndLeavesNothingOfTheGroup) {
  LifeLine life;
  Command command = shell("sleep 1000 & exit 7");
  command.inherit = {life.held_by_the_living()};
  ChildProcess child = ChildProcess::start(command, -1, -1, -1);
  EXPECT_EQ(child.wait(kPatience)->code, 7);
  EXPECT_TRUE(life.all_died());
}

TEST(ChildProcess, EventDescriptorTellsOfTheEnd) {
  Command command;
  command.argv = {"true"};
  ChildProcess child = ChildProcess::start(command, -1, -1, -1);
  EXPECT_TRUE(wait_for(child.event_fd(), POLLIN, Deadline(kPatience)));
  EXPECT_TRUE(child.wait(0ms)->ok());
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

TEST(ReplaceProcess, BecomesTheProgramWithDefaultSignals) {
  const int code = in_another_process([]() -> int {
    ::signal(SIGPIPE, SIG_IGN);
    Command command =
        shell("grep -q '^SigIgn:.0*$' /proc/self/status && test \"$ONE\" = 1 && test \"$PWD\" = /usr && exit 42");
    command.environment["ONE"] = "1";
    command.directory = "/usr";
    replace_process(command);
  });
  EXPECT_EQ(code, 42);
}

TEST(ReplaceProcess, ThrowsWhenItCannot) {
  Command command;
  command.argv = {"/etc/passwd"};
  EXPECT_THROW(replace_process(command), SystemError);
}

TEST(ToolEnvironment, HasWhatToolsNeedAndNoMore) {
  setenv("PUSHROD_TEST_SECRET", "1", 1);
  const Environment environment = tool_environment();
  unsetenv("PUSHROD_TEST_SECRET");
  EXPECT_EQ(environment.at("LANG"), "C.UTF-8");
  EXPECT_FALSE(environment.at("HOME").empty());
  const std::vector<std::string> path = split(environment.at("PATH"), ':');
  EXPECT_EQ(std::count(path.begin(), path.end(), "/usr/sbin"), 1);
  for (const auto& [name, value] : environment) {
    EXPECT_TRUE(name == "PATH" || name == "HOME" || name == "LANG" || name == "TZ") << name;
  }
}

TEST_F(StartInDirectory, ProgramIsFoundOnThePathOnly) {
  write_file(root_ / "tool", "#!/bin/sh\n", 0755);
  write_file(root_ / "data", "", 0644);
  make_directory(root_ / "directory");
  const Environment environment{{"PATH", "::.:/no/such:" + root_.native()}};
  EXPECT_EQ(find_program("tool", environment), root_ / "tool");
  EXPECT_EQ(find_program(root_ / "tool", {}), root_ / "tool");
  EXPECT_FALSE(find_program("data", environment));
  EXPECT_FALSE(find_program("directory", environment));
  EXPECT_FALSE(find_program("", environment));
  EXPECT_FALSE(find_program("tool", {}));
  // The current directory never counts.
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(root_);
  EXPECT_FALSE(find_program("tool", {{"PATH", "::."}}));
  std::filesystem::current_path(before);
}

TEST(OwnProgram, IsTheTestItself) {
  EXPECT_TRUE(own_program().is_absolute());
  EXPECT_TRUE(is_plain_file(own_program()));
}

}  // namespace
}  // namespace pushrod
