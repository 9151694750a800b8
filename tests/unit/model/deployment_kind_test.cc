// The table of the kinds of deployments: what its columns owe each other.
#include "model/deployment_kind.hh"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "base/error.hh"

namespace pushrod {
namespace {

bool implies(bool premise, bool conclusion) { return !premise || conclusion; }

TEST(DeploymentKinds, EachHasARowAndAWordThatIsReadBack) {
  std::set<std::string_view> words;
  for (const auto& rules : kDeploymentRules) {
    EXPECT_EQ(&rules_of(rules.kind), &rules);
    EXPECT_EQ(to_string(rules.kind), rules.word);
    EXPECT_EQ(deployment_kind_from(rules.word), rules.kind);
    words.insert(rules.word);
  }
  EXPECT_EQ(words.size(), kDeploymentRules.size());
  EXPECT_EQ(words.count(""), 0U);
  EXPECT_THROW(deployment_kind_from("Push"), Error);
}

TEST(DeploymentKinds, AKindThatReturnsToAnOlderReleaseBringsBackAllOfIt) {
  for (const auto& rules : kDeploymentRules) {
    const bool older = rules.release == ReleaseFrom::Older;
    EXPECT_EQ(rules.ref == RefChange::Return, older || rules.kind == DeploymentKind::Restore) << rules.word;
    EXPECT_EQ(rules.intent == Intent::Release, older) << rules.word;
    EXPECT_TRUE(implies(older, rules.settings == SettingsFrom::Release)) << rules.word;
  }
}

TEST(DeploymentKinds, WhatWritesAnIntentFromItsReleaseHasOne) {
  for (const auto& rules : kDeploymentRules) {
    const bool reads_release = rules.intent == Intent::Counts || rules.intent == Intent::Source ||
                               rules.intent == Intent::Settings || rules.intent == Intent::Release;
    const bool always_has_one = rules.release != ReleaseFrom::Nothing && rules.release != ReleaseFrom::LiveIfAny;
    EXPECT_TRUE(implies(reads_release, always_has_one)) << rules.word;
    // Settings become the app's only where the release was made from the app's.
    EXPECT_TRUE(implies(rules.intent == Intent::Settings, rules.settings == SettingsFrom::App)) << rules.word;
  }
}

TEST(DeploymentKinds, InstancesGoOnWithTheSettingsThatTheyHave) {
  for (const auto& rules : kDeploymentRules) {
    if (rules.kept == KeptInstances::None) continue;
    EXPECT_EQ(rules.settings, SettingsFrom::Release) << rules.word;
    EXPECT_FALSE(builds(rules.kind)) << rules.word;
  }
}

TEST(DeploymentKinds, OnlyAFallbackTakesBackWhatIsOnStandby) {
  for (const auto& rules : kDeploymentRules) {
    EXPECT_EQ(rules.kept == KeptInstances::Standby, rules.watch == WatchRule::FallsBack) << rules.word;
  }
}

TEST(DeploymentKinds, WhatRunsNothingAfterwardsWakesAndWatchesNothing) {
  for (const auto& rules : kDeploymentRules) {
    if (rules.release != ReleaseFrom::Nothing && runs_after(rules.kind, false)) continue;
    EXPECT_FALSE(rules.wakes) << rules.word;
    EXPECT_EQ(rules.watch, WatchRule::None) << rules.word;
    EXPECT_FALSE(rules.success.empty()) << rules.word;  // no release is live
  }
}

TEST(DeploymentKinds, OnlyAStartRunsAStoppedApp) {
  for (const auto& rules : kDeploymentRules) {
    EXPECT_EQ(runs_after(rules.kind, true), rules.kind == DeploymentKind::Start) << rules.word;
    EXPECT_EQ(runs_after(rules.kind, false), rules.kind != DeploymentKind::Stop) << rules.word;
  }
}

TEST(DeploymentKinds, MoveTheRefOnlyIfTheyCareWhereItIs) {
  std::set<std::string_view> movers;
  for (const auto& rules : kDeploymentRules) {
    if (moves_ref(rules.kind)) movers.insert(rules.word);
    EXPECT_TRUE(implies(moves_ref(rules.kind), concerns_commit(rules.kind))) << rules.word;
    EXPECT_TRUE(implies(rules.whole_branch, moves_ref(rules.kind))) << rules.word;
  }
  EXPECT_EQ(movers, (std::set<std::string_view>{"push", "remove", "rollback", "fallback", "restore"}));
}

TEST(DeploymentKinds, SupersedeOnlyWhenTheyDecideWhatTheBranchNames) {
  for (const auto& rules : kDeploymentRules) {
    EXPECT_TRUE(implies(rules.waiting == WhileWaiting::Supersedes, moves_ref(rules.kind))) << rules.word;
    // What the operator wants of the app outlives a newer commit.
    EXPECT_TRUE(implies(rules.intent != Intent::None, rules.waiting == WhileWaiting::Stays)) << rules.word;
  }
}

TEST(DeploymentKinds, AnnouncementsUseTheirPlaceholdersOnly) {
  using fmt::arg;
  for (const auto& rules : kDeploymentRules) {
    const auto announced =
        fmt::format(fmt::runtime(rules.announcement), arg("apps", "blog"), arg("branch", "main"), arg("commit", "abc"),
                    arg("subject", "first"), arg("what", "blog to shop"), arg("detail", ": web 1 to 2"));
    const auto told = fmt::format(fmt::runtime(rules.success), arg("app", "blog"), arg("new_name", "shop"),
                                  arg("url", "http://shop"));
    EXPECT_NE(announced.find("blog"), std::string::npos) << rules.word;
    EXPECT_TRUE(implies(!told.empty(), told.find("blog") != std::string::npos)) << rules.word;
  }
}

}  // namespace
}  // namespace pushrod
