// When a release that has just gone live counts as failing.
#include "model/watch.hh"

#include <gtest/gtest.h>

namespace pushrod {
namespace {

WatchedInstance web(unsigned deaths, const std::string& last_exit = "exit code 1") {
  return {"web", true, deaths, deaths == 0 ? "" : last_exit};
}
WatchedInstance worker(unsigned deaths, const std::string& last_exit = "exit code 1") {
  return {"worker", false, deaths, deaths == 0 ? "" : last_exit};
}

TEST(Watches, AreContentWithInstancesThatStayUp) {
  EXPECT_EQ(failing_instance({}), nullptr);
  EXPECT_EQ(failing_instance({web(0), web(0), worker(0)}), nullptr);
}

TEST(Watches, FailWhenTheOnlyInstanceOfATypeEnds) {
  const std::vector<WatchedInstance> instances{web(0), worker(1)};
  EXPECT_EQ(failing_instance(instances), &instances[1]);
  EXPECT_NE(failing_instance({web(1), worker(0)}), nullptr);
  EXPECT_NE(failing_instance({web(1, "exit code 0")}), nullptr) << "a server must not end, not even with success";
}

TEST(Watches, FailWhenAllInstancesOfATypeHaveEnded) {
  EXPECT_EQ(failing_instance({web(0), web(1), web(1)}), nullptr) << "one still answers";
  EXPECT_NE(failing_instance({web(1), web(1), web(1)}), nullptr);
}

TEST(Watches, FailWhenOneInstanceKeepsEnding) { EXPECT_NE(failing_instance({web(0), web(2), web(0)}), nullptr); }

TEST(Watches, DoNotTakeAKillFromOutsideForACrash) {
  EXPECT_EQ(failing_instance({web(1, "SIGKILL")}), nullptr);
  EXPECT_NE(failing_instance({web(2, "SIGKILL")}), nullptr);
  EXPECT_NE(failing_instance({web(1, "killed: out of memory")}), nullptr);
}

TEST(Watches, LetAWorkerRestartItselfOnce) {
  EXPECT_EQ(failing_instance({worker(1, "exit code 0")}), nullptr);
  EXPECT_NE(failing_instance({worker(2, "exit code 0")}), nullptr);
}

}  // namespace
}  // namespace pushrod
