#include "model/exit_status.hh"

#include <gtest/gtest.h>

#include <csignal>

namespace pushrod {
namespace {

TEST(ExitStatus, IsShownAsPeopleKnowIt) {
  EXPECT_EQ(to_string(ExitStatus::exited(0)), "exit code 0");
  EXPECT_EQ(to_string(ExitStatus::exited(127)), "exit code 127");
  EXPECT_EQ(to_string(ExitStatus::signalled(SIGKILL)), "SIGKILL");
  EXPECT_EQ(to_string(ExitStatus::signalled(35)), "signal 35");
  EXPECT_EQ(to_string(ExitStatus::out_of_memory()), "killed: out of memory");
  EXPECT_EQ(to_string(std::optional<ExitStatus>{}), "");
}

TEST(ExitStatus, EndsASentenceAboutTheProgram) {
  EXPECT_EQ(describe_end(ExitStatus::exited(1)), "ended with exit code 1");
  EXPECT_EQ(describe_end(ExitStatus::signalled(SIGSEGV)), "ended with SIGSEGV");
  EXPECT_EQ(describe_end(ExitStatus::out_of_memory()), "was killed: out of memory");
  EXPECT_EQ(describe_end({}), "ended");
}

TEST(ExitStatus, OnlyExitCodeZeroIsSuccess) {
  EXPECT_TRUE(ExitStatus::exited(0).is_success());
  EXPECT_FALSE(ExitStatus::exited(1).is_success());
  EXPECT_FALSE(ExitStatus::signalled(0).is_success());
  EXPECT_FALSE(ExitStatus::out_of_memory().is_success());
}

}  // namespace
}  // namespace pushrod
