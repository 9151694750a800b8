// A push of several branches: one after the other, and each for itself.
#include "deploy/push.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "world.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;

class TwoBranches : public DeployTest {
 protected:
  TwoBranches() {
    add_app("blog");
    create_app(platform(), AppName::parse("docs"), {repo_, BranchName::parse("docs")});
  }
  std::vector<RefReport> push_both(int cancel_fd) {
    std::vector<RefVerdict> verdicts;
    for (const auto* ref : {"refs/heads/main", "refs/heads/docs"}) {
      verdicts.push_back({{{}, version(1), ref}, Fate::Deploy, {}});
    }
    Journal journal(-1);
    return deploy_push(platform(), repo_, {}, verdicts, "ann", journal, cancel_fd);
  }
};

TEST_F(TwoBranches, BothGoLive) {
  for (const auto& report : push_both(-1)) EXPECT_EQ(report.refusal, "") << report.ref;
  reconcile();
  EXPECT_EQ(engine().routes(), "blog.example.org: blog.1.web.1\ndocs.example.org: docs.1.web.1\n");
}

TEST_F(TwoBranches, WhatCancelsOneLeavesTheOther) {
  const auto pipe = make_pipe();
  engine().on_await = [&] {
    engine().on_await = nullptr;
    for (int count = 0; count < 3; ++count) write_all(pipe.write_end.get(), "x", "cancelling");
  };
  const auto reports = push_both(pipe.read_end.get());
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].refusal, "cancelled");
  EXPECT_EQ(reports[1].refusal, "");
  EXPECT_EQ(app("docs").live, 1U);
}

// What the caller records of a push of main.
class Recorded : public TwoBranches {
 protected:
  std::vector<std::string> told() {
    std::vector<std::string> told;
    const auto tell = [&](const std::string& what) {
      return [&told, what](const RefCommand& command) { told.push_back(what + " " + command.ref); };
    };
    Journal journal(-1);
    deploy_push(platform(), repo_, {}, {{{{}, version(1), "refs/heads/main"}, Fate::Deploy, {}}}, "ann", journal, -1,
                {tell("begin"), tell("undone"), tell("live")});
    return told;
  }
};

TEST_F(Recorded, TheBeginAndTheEnd) {
  EXPECT_THAT(told(), ElementsAre("begin refs/heads/main", "live refs/heads/main"));
}

TEST_F(Recorded, TheBeginAloneOfWhatFails) {
  engine().unhealthy = "web";
  EXPECT_THAT(told(), ElementsAre("begin refs/heads/main"));
}

TEST_F(Recorded, TheEndEvenIfTheSwitchFails) {
  engine().on_route = [] { throw Error("the router is gone"); };
  EXPECT_THAT(told(), ElementsAre("begin refs/heads/main", "live refs/heads/main"));
}

}  // namespace
}  // namespace pushrod
