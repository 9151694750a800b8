// How programs start: what fails, what they inherit, whom they belong to; and how they end.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/error.hh"
#include "base/text.hh"
#include "command_fixtures.hh"
#include "fixtures.hh"
#include "os/command.hh"
#include "os/files.hh"

namespace pushrod {
namespace {

using namespace std::chrono_literals;

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

TEST(Start, WorksWithoutStandardDescriptors) {
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

}  // namespace
}  // namespace pushrod
