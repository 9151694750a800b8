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
    create_app(platform(), AppName::parse("shop"), repo_, BranchName::parse("shop/live"), "");
    commit_ = version(1);
  }
  std::vector<std::string> refusals(const std::vector<RefCommand>& commands,
                                    const std::vector<std::string>& options = {}, const std::optional<Key>& key = {}) {
    std::vector<std::string> texts;
    for (const auto& refusal : judge_push(platform(), repo_, repository(), commands, options, key)) {
      texts.push_back(refusal.reason + " | " + refusal.hint);
    }
    return texts;
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

TEST_F(Verdict, WhatIsNotABranchIsRefused) {
  EXPECT_THAT(refusals({to("refs/tags/v1")}),
              ElementsAre("\"refs/tags/v1\" is not a branch | only branches can be pushed here, and only those with an "
                          "app"));
}

TEST_F(Verdict, ABranchWithoutAnAppIsRefusedWithThoseThatHaveOne) {
  EXPECT_THAT(
      refusals({to("refs/heads/dev")}),
      ElementsAre("branch \"dev\" of repo site has no app | branches that have one: main (blog), shop/live (shop)"));
}

TEST_F(Verdict, AKeyIsToldTheSameOfAForbiddenBranchAsOfAMissingOne) {
  const auto forbidden = refusals({to("refs/heads/main")}, {}, key_for({"shop"}));
  EXPECT_THAT(forbidden,
              ElementsAre("branch \"main\" of repo site has no app | branches that have one: shop/live (shop)"));
  EXPECT_THAT(refusals({to("refs/heads/dev")}, {}, key_for({"shop"})),
              ElementsAre("branch \"dev\" of repo site has no app | branches that have one: shop/live (shop)"));
  EXPECT_THAT(refusals({to("refs/heads/main")}, {}, key_for({"elsewhere"})),
              ElementsAre("branch \"main\" of repo site has no app | no branch of this repo has one"));
  EXPECT_THAT(refusals({deletion("refs/heads/main")}, {"confirm=main"}, key_for({"shop"})), forbidden)
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
  EXPECT_THAT(refusals({deletion("refs/heads/main")}, {"confirm=shop/live"}),
              ElementsAre("unknown push option \"confirm=shop/live\" | known: dry-run; rebuild; confirm=BRANCH, "
                          "together with the deletion "
                          "of that branch",
                          "deleting branch \"main\" stops blog | if you mean it: git push -o 'confirm=main' --delete "
                          "<remote> main"));
}

TEST_F(Verdict, ABranchThatIsNotThereCannotBeDeleted) {
  EXPECT_THAT(refusals({{{}, {}, "refs/heads/main"}}, {"confirm=main"}), ElementsAre("there is no branch \"main\" | "));
}

TEST_F(Verdict, UnknownOptionsAreRefusedAndEscaped) {
  EXPECT_THAT(refusals({to("refs/heads/main")}, {"ci.skip\x1b[2J"}),
              ElementsAre("unknown push option \"ci.skip\\x1b[2J\" | known: dry-run; rebuild; confirm=BRANCH, together "
                          "with the deletion of "
                          "that branch"));
  EXPECT_EQ(refusals({to("refs/heads/main")}, {"confirm=main"}).size(), 1U) << "nothing is deleted";
}

TEST_F(Verdict, EveryRefIsJudged) {
  EXPECT_EQ(refusals({to("refs/tags/v1"), to("refs/heads/main"), to("refs/heads/-x"), to("refs/heads/dev")}).size(),
            3U);
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

TEST_F(Verdict, EachBranchGetsItsReport) {
  Journal journal(-1);
  engine().unhealthy = "shop.1.web.1";
  const auto reports = deploy_push(
      platform(), repo_, {{to("refs/heads/main"), to("refs/heads/shop/live"), to("refs/heads/dev")}, {}, false}, "ann",
      journal, -1);
  ASSERT_EQ(reports.size(), 3U);
  EXPECT_EQ(reports[0].ref, "refs/heads/main");
  EXPECT_EQ(reports[0].refusal, "");
  EXPECT_EQ(reports[1].refusal, "shop.1.web.1 ended with exit code 1");
  EXPECT_EQ(reports[2].refusal, "no app runs from this branch any more");
  EXPECT_EQ(app("blog").live, 1U);
  EXPECT_EQ(app("shop").live, std::nullopt);
}

TEST_F(Verdict, AnAtomicPushOfSeveralBranchesIsRefusedWhole) {
  Journal journal(-1);
  const auto before = everything();
  const auto reports = deploy_push(platform(), repo_, {{to("refs/heads/main"), to("refs/heads/shop/live")}, {}, true},
                                   "ann", journal, -1);
  ASSERT_EQ(reports.size(), 2U);
  for (const auto& report : reports) {
    EXPECT_EQ(report.refusal, "each branch goes live by itself: push them one by one, or without --atomic");
  }
  EXPECT_EQ(everything(), before);
}

}  // namespace
}  // namespace pushrod
