// The verdict on a push: each refusal in full, and that a key never learns of an app that it may not use.
#include "deploy/verdict.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/push.hh"
#include "world.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Verdict : public DeployTest {
 protected:
  Verdict() {
    add_app("blog");
    create_app(platform(), AppName::parse("shop"), {repo_, BranchName::parse("shop/live")});
    commit_ = version(1);
  }
  std::vector<std::string> refusals(const std::vector<RefCommand>& commands,
                                    const std::vector<std::string>& options = {}, const std::optional<Key>& key = {}) {
    std::vector<std::string> texts;
    const auto add = [&](const Refusal& refusal) { texts.push_back(refusal.reason + " | " + refusal.hint); };
    for (const auto& refusal : judge_options(commands, options)) add(refusal);
    for (const auto& [command, fate, refusal] : judge_push(platform(), repo_, repository(), commands, options, key)) {
      if (fate == Fate::Refuse) add(refusal);
    }
    return texts;
  }
  static std::vector<Fate> fates(const std::vector<RefVerdict>& verdicts) {
    std::vector<Fate> all;
    for (const auto& verdict : verdicts) all.push_back(verdict.fate);
    return all;
  }
  // What proc-receive does.
  std::vector<RefReport> push(const std::vector<RefCommand>& commands, bool atomic = false) {
    Journal journal(-1);
    const auto verdicts = judge_again(platform(), repo_, repository(), commands, {}, {});
    return deploy_push(platform(), repo_, {commands, {}, atomic}, verdicts, "ann", journal, -1);
  }
  RefCommand to(const std::string& ref) const { return {{}, commit_, ref}; }
  RefCommand deletion(const std::string& ref) const { return {commit_, {}, ref}; }
  static Key key_for(const std::vector<std::string>& apps) {
    Key key{1, KeyName::parse("ann"), "ssh-ed25519 AAAA", "SHA256:x", Role::Admin, apps.empty(), {}, now()};
    for (const auto& app : apps) key.apps.push_back(AppName::parse(app));
    return key;
  }
  std::optional<CommitId> commit_;
};

TEST_F(Verdict, APushToABranchWithAnAppMayGoOn) {
  EXPECT_THAT(refusals({to("refs/heads/main"), to("refs/heads/shop/live")}), IsEmpty());
  EXPECT_THAT(refusals({to("refs/heads/main")}, {}, key_for({"blog"})), IsEmpty());
  EXPECT_THAT(refusals({to("refs/heads/main")}, {}, key_for({})), IsEmpty()) << "an administrator";
}

TEST_F(Verdict, WhatIsNeitherABranchNorATagIsRefused) {
  EXPECT_THAT(refusals({to("refs/notes/commits")}),
              ElementsAre("\"refs/notes/commits\" is not a branch | only branches that have an app can be pushed here, "
                          "and tags together with them"));
}

TEST_F(Verdict, ABranchWithoutAnAppIsRefusedWithThoseThatHaveOne) {
  EXPECT_THAT(refusals({to("refs/heads/dev")}),
              ElementsAre("branch \"dev\" of repo site has no app | branches with an app: main (blog), shop/live "
                          "(shop); to deploy: git push <remote> dev:BRANCH"));
}

TEST_F(Verdict, TheOnlyBranchWithAnAppIsNamedAsTheTarget) {
  EXPECT_THAT(refusals({to("refs/heads/master")}, {}, key_for({"blog"})),
              ElementsAre("branch \"master\" of repo site has no app | branches with an app: main (blog); to deploy: "
                          "git push <remote> master:main"));
}

TEST_F(Verdict, AForbiddenBranchGetsTheSameAnswerAsAMissingOne) {
  const std::string hint = " | branches with an app: shop/live (shop); to deploy: git push <remote> ";
  const auto forbidden = refusals({to("refs/heads/main")}, {}, key_for({"shop"}));
  EXPECT_THAT(forbidden, ElementsAre("branch \"main\" of repo site has no app" + hint + "main:shop/live"));
  EXPECT_THAT(refusals({to("refs/heads/dev")}, {}, key_for({"shop"})),
              ElementsAre("branch \"dev\" of repo site has no app" + hint + "dev:shop/live"));
  EXPECT_THAT(
      refusals({to("refs/heads/main")}, {}, key_for({"elsewhere"})),
      ElementsAre(testing::StartsWith("branch \"main\" of repo site has no app | no branch of this repo has an app")));
  EXPECT_THAT(refusals({deletion("refs/heads/main")}, {"confirm=main"}, key_for({"shop"})),
              ElementsAre(testing::StartsWith("branch \"main\" of repo site has no app")))
      << "to delete it, too";
}

TEST_F(Verdict, ABranchOfSeveralAppsNeedsTheRightToAllOfThem) {
  add_app("admin");
  EXPECT_THAT(refusals({to("refs/heads/main")}, {}, key_for({"blog"})).size(), 1U);
  EXPECT_THAT(refusals({to("refs/heads/main")}, {}, key_for({"blog", "admin"})), IsEmpty());
}

TEST_F(Verdict, ADeletionMustBeMeant) {
  add_app("admin");
  EXPECT_THAT(
      refusals({deletion("refs/heads/main")}),
      ElementsAre("deleting branch \"main\" stops admin, blog | if you mean it: git push -o 'confirm=main' --delete "
                  "<remote> main"));
  EXPECT_THAT(refusals({deletion("refs/heads/main")}, {"confirm=main"}), IsEmpty());
}

TEST_F(Verdict, TheConfirmationOfAnotherBranchIsNone) {
  EXPECT_THAT(
      refusals({deletion("refs/heads/main")}, {"confirm=shop/live"}),
      ElementsAre("unknown push option \"confirm=shop/live\" | known: dry-run; no-cache; rebuild; confirm=BRANCH, "
                  "together with the deletion "
                  "of that branch",
                  "deleting branch \"main\" stops blog | if you mean it: git push -o 'confirm=main' --delete "
                  "<remote> main"));
}

TEST_F(Verdict, ABranchThatIsNotThereCannotBeDeleted) {
  EXPECT_THAT(refusals({{{}, {}, "refs/heads/main"}}, {"confirm=main"}), ElementsAre("there is no branch \"main\" | "));
}

TEST_F(Verdict, UnknownOptionsAreRefusedAndEscaped) {
  EXPECT_THAT(
      refusals({to("refs/heads/main")}, {"ci.skip\x1b[2J"}),
      ElementsAre(
          "unknown push option \"ci.skip\\x1b[2J\" | known: dry-run; no-cache; rebuild; confirm=BRANCH, together "
          "with the deletion of "
          "that branch"));
  EXPECT_EQ(refusals({to("refs/heads/main")}, {"confirm=main"}).size(), 1U) << "nothing is deleted";
}

TEST_F(Verdict, EachRefIsJudgedByItself) {
  const auto verdicts = judge_push(platform(), repo_, repository(),
                                   {to("refs/tags/v1"), to("refs/heads/main"), to("refs/heads/-x"),
                                    to("refs/heads/dev"), deletion("refs/heads/shop/live"), deletion("refs/tags/v0")},
                                   {}, {});
  EXPECT_THAT(fates(verdicts),
              ElementsAre(Fate::Store, Fate::Deploy, Fate::Refuse, Fate::Refuse, Fate::Refuse, Fate::Store));
}

TEST_F(Verdict, TagsWithoutABranchAreRefusedWithTheWayToDeployThem) {
  EXPECT_THAT(
      refusals({to("refs/tags/v1"), to("refs/heads/dev")}, {}, key_for({"blog"})),
      ElementsAre("tag \"v1\" is not a branch: a tag deploys nothing, and is stored only together with a branch "
                  "that is deployed | branches with an app: main (blog); to deploy: git push <remote> "
                  "'v1^{}:refs/heads/main'",
                  testing::StartsWith("branch \"dev\"")));
  EXPECT_THAT(refusals({deletion("refs/tags/v1")}), IsEmpty()) << "otherwise it would stay there";
}

TEST_F(Verdict, ATreeThatIsRefusedIsRefusedAgainBesideAnother) {
  const auto small = commit_;
  const auto large = commit({{"Procfile", "web: serve\n"}, {"one", ""}, {"two", ""}}, {}, "three files");
  here_->settings.tree_entries = 2;
  const std::vector<RefCommand> both{{{}, small, "refs/heads/main"}, {{}, large, "refs/heads/shop/live"}};
  EXPECT_THAT(fates(judge_push(platform(), repo_, repository(), both, {}, {})),
              ElementsAre(Fate::Deploy, Fate::Refuse));
  EXPECT_THAT(fates(judge_again(platform(), repo_, repository(), both, {}, {})),
              ElementsAre(Fate::Deploy, Fate::Refuse));
  const std::vector<RefCommand> with_deletion{{{}, large, "refs/heads/main"}, deletion("refs/tags/v1")};
  EXPECT_THAT(fates(judge_again(platform(), repo_, repository(), with_deletion, {}, {})),
              ElementsAre(Fate::Refuse, Fate::Store))
      << "the deletion of the tag let the push pass";
}

TEST_F(Verdict, ATreeBeyondTheLimitsIsRefused) {
  here_->settings.tree_entries = 1;
  const auto texts = refusals({to("refs/heads/main")});
  ASSERT_EQ(texts.size(), 1U);
  EXPECT_THAT(texts.front(), testing::HasSubstr("tree_entries"));
}

TEST_F(Verdict, NothingIsAcceptedWhileNothingCanRun) {
  engine().ready = false;
  EXPECT_THROW(refusals({to("refs/heads/main")}), UserError);
  EXPECT_EQ(refusals({to("refs/heads/dev")}).size(), 1U) << "what is wrong with the push comes first";
}

// --- and what proc-receive makes of it

TEST_F(Verdict, EachRefGetsItsReport) {
  engine().unhealthy = "shop.1.web.1";
  const auto reports =
      push({to("refs/heads/main"), to("refs/heads/shop/live"), to("refs/heads/dev"), to("refs/tags/v1")});
  ASSERT_EQ(reports.size(), 4U);
  EXPECT_EQ(reports[0].ref, "refs/heads/main");
  EXPECT_EQ(reports[0].refusal, "");
  EXPECT_FALSE(reports[0].left_to_git);
  EXPECT_EQ(reports[1].refusal, "shop.1.web.1 ended with exit code 1");
  EXPECT_EQ(reports[2].refusal, "branch \"dev\" of repo site has no app");
  EXPECT_EQ(reports[3].refusal, "");
  EXPECT_TRUE(reports[3].left_to_git);
  EXPECT_EQ(app("blog").live, 1U);
  EXPECT_EQ(app("shop").live, std::nullopt);
}

TEST_F(Verdict, ATagIsNotStoredWhenTheDeploymentBesideItFails) {
  engine().unhealthy = "blog.1.web.1";
  const auto reports = push({to("refs/tags/v1"), to("refs/heads/main"), deletion("refs/tags/v0")});
  EXPECT_EQ(reports[0].refusal, "not stored: no branch that was pushed with it went live");
  EXPECT_TRUE(reports[2].left_to_git) << "a deletion needs no branch";
}

TEST_F(Verdict, AnAtomicPushOfSeveralBranchesIsRefusedAsAWhole) {
  const auto before = everything();
  const auto reports = push({to("refs/heads/main"), to("refs/heads/shop/live"), to("refs/tags/v1")}, true);
  ASSERT_EQ(reports.size(), 3U);
  for (const auto& report : reports) {
    EXPECT_EQ(report.refusal, "each branch goes live by itself: push them one by one, or without --atomic");
  }
  EXPECT_EQ(everything(), before);
}

TEST_F(Verdict, AnAtomicPushWithARefusedRefIsRefusedAsAWhole) {
  const auto before = everything();
  const auto reports = push({to("refs/heads/main"), to("refs/heads/dev"), to("refs/tags/v1")}, true);
  EXPECT_EQ(reports[0].refusal, "atomic push, and refs/heads/dev is refused");
  EXPECT_EQ(reports[1].refusal, "branch \"dev\" of repo site has no app");
  EXPECT_EQ(reports[2].refusal, "atomic push, and refs/heads/dev is refused");
  EXPECT_EQ(everything(), before);
}

TEST_F(Verdict, AnAtomicPushOfABranchAndItsTagsIsDeployed) {
  const auto reports = push({to("refs/tags/v1"), to("refs/heads/main")}, true);
  EXPECT_TRUE(reports[0].left_to_git);
  EXPECT_EQ(reports[1].refusal, "");
  EXPECT_EQ(app("blog").live, 1U);
}

}  // namespace
}  // namespace pushrod
