// The role `run`: pid 1 of the sandbox of a build. Here without a sandbox.
#include <sys/syscall.h>

#include "fixtures.hh"

namespace pushrod {
namespace {

int end_of(const std::string& script) { return run(run_role({"--", "/bin/sh", "-c", script})).code; }

TEST(RunRole, EndsAsTheCommandDoes) {
  EXPECT_EQ(end_of("exit 0"), 0);
  EXPECT_EQ(end_of("exit 3"), 3);
  EXPECT_EQ(end_of("kill -TERM $$"), 128 + SIGTERM);
}

TEST(RunRole, FindsTheCommandInThePathOfTheSandboxAndEndsAsAShellDoesWithoutIt) {
  const auto result_of = [](std::vector<std::string> words) {
    auto command = run_role(std::move(words));
    command.environment = {{"+PATH", "/bin"}};
    return run(command);
  };
  EXPECT_EQ(result_of({"--", "echo", "a  b", "$x; 'y'"}).out, "a  b $x; 'y'\n");
  const auto missing = result_of({"--", "no-such-program"});
  EXPECT_EQ(missing.code, 127);
  EXPECT_EQ(missing.err, "no-such-program: command not found\n");
  EXPECT_EQ(result_of({"--", "/no/such/program"}).code, 127);
  EXPECT_EQ(result_of({"--", "/"}).code, 126);
}

TEST(RunRole, PassesOnOnlyVariablesThatAreForTheSandbox) {
  auto command = run_role({"--", "/usr/bin/env"});
  command.environment = {{"+A", "1"}, {"LD_PRELOAD", ""}, {"B", "2"}};
  EXPECT_EQ(run(command).out, "A=1\n");
}

TEST(RunRole, EndsWithTheProcessThatStartedTheSandbox) {
  auto input = make_pipe();  // the command ends with this test, whatever happens
  Command sleeping;
  sleeping.argv = {"/bin/sleep", "1000"};
  std::optional<ChildProcess> starter = ChildProcess::start(sleeping, -1, -1, -1);
  const UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, starter->pid(), 0)));
  auto command = run_role({fmt::format("starter={}", pidfd.get()), "--", "/bin/cat"});
  command.inherit = {pidfd.get()};
  auto shim = ChildProcess::start(command, input.read_end.get(), -1, -1);
  EXPECT_FALSE(shim.wait(Milliseconds{100}));
  starter.reset();
  EXPECT_EQ(shim.wait(kPatience).value().describe(), "exit code 111");
}

}  // namespace
}  // namespace pushrod
