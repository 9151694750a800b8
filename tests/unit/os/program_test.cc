// Programs: where they are found, what they see of the environment, and becoming one.
#include <gtest/gtest.h>

#include <csignal>

#include "base/error.hh"
#include "base/text.hh"
#include "command_fixtures.hh"
#include "fixtures.hh"
#include "os/command.hh"
#include "os/files.hh"

namespace pushrod {
namespace {

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

class FindProgram : public InTemporaryDirectory {};

TEST_F(FindProgram, ProgramIsFoundOnThePathOnly) {
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
