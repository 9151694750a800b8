// When a release that has just gone live counts as failing.
#include "model/watch.hh"

#include <gtest/gtest.h>

#include <csignal>

namespace pushrod {
namespace {

WatchedInstance web(unsigned deaths, ExitStatus last_exit = ExitStatus::exited(1)) {
  return {"web", true, deaths, deaths == 0 ? std::nullopt : std::optional(last_exit)};
}
WatchedInstance worker(unsigned deaths, ExitStatus last_exit = ExitStatus::exited(1)) {
  return {"worker", false, deaths, deaths == 0 ? std::nullopt : std::optional(last_exit)};
}

TEST(Watches, AreContentWithInstancesThatStayUp) {
  EXPECT_EQ(failing_instance({}), nullptr);
  EXPECT_EQ(failing_instance({web(0), web(0), worker(0)}), nullptr);
}

TEST(Watches, FailWhenTheOnlyInstanceOfATypeEnds) {
  const std::vector<WatchedInstance> instances{web(0), worker(1)};
  EXPECT_EQ(failing_instance(instances), &instances[1]);
  EXPECT_NE(failing_instance({web(1), worker(0)}), nullptr);
  EXPECT_NE(failing_instance({web(1, ExitStatus::exited(0))}), nullptr)
      << "a server must not end, not even with success";
}

TEST(Watches, FailWhenAllInstancesOfATypeHaveEnded) {
  EXPECT_EQ(failing_instance({web(0), web(1), web(1)}), nullptr) << "one still answers";
  EXPECT_NE(failing_instance({web(1), web(1), web(1)}), nullptr);
}

TEST(Watches, FailWhenOneInstanceKeepsEnding) { EXPECT_NE(failing_instance({web(0), web(2), web(0)}), nullptr); }

TEST(Watches, DoNotTakeAKillFromOutsideForACrash) {
  EXPECT_EQ(failing_instance({web(1, ExitStatus::signalled(SIGKILL))}), nullptr);
  EXPECT_NE(failing_instance({web(2, ExitStatus::signalled(SIGKILL))}), nullptr);
  EXPECT_NE(failing_instance({web(1, ExitStatus::out_of_memory())}), nullptr);
}

TEST(Watches, LetAWorkerRestartItselfOnce) {
  EXPECT_EQ(failing_instance({worker(1, ExitStatus::exited(0))}), nullptr);
  EXPECT_NE(failing_instance({worker(2, ExitStatus::exited(0))}), nullptr);
}

}  // namespace
}  // namespace pushrod
