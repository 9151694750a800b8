// Where an app's code comes from: who may change it, what a change comes to.
#include "operate/app_source.hh"

#include "fixtures.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class SourceOfAnApp : public OperateTest {
 protected:
  SourceChange change_branch(const std::string& branch) {
    return change_source(operator_, blog_, {.repo = {}, .branch = BranchName::parse(branch)});
  }
};

TEST_F(SourceOfAnApp, BelongsToTheMachine) {
  live_app("blog");
  auto& admin_of_blog = with_key("otto", Role::Admin, {blog_});
  EXPECT_THAT(refusal([&] { change_source(admin_of_blog, blog_, {}); }),
              StartsWith("this is for administrators of this machine"));
  EXPECT_THAT(refusal([&] { change_source(operator_, AppName::parse("none"), {}); }), StartsWith("there is no app"));
}

TEST_F(SourceOfAnApp, WithoutADifferenceNothingChanges) {
  live_app("blog");
  const auto result = change_branch("main");
  EXPECT_FALSE(result.change);
  EXPECT_FALSE(result.is_saved);
}

TEST_F(SourceOfAnApp, OfAnAppThatIsNotDeployedIsSaved) {
  add_app("blog");
  EXPECT_TRUE(change_branch("next").is_saved);
  EXPECT_EQ(app("blog").branch.str(), "next");
  EXPECT_EQ(last_record(), "app set branch \"main\" to \"next\": done");
}

TEST_F(SourceOfAnApp, OfADeployedAppIsADeploymentOfTheOtherBranch) {
  live_app("blog");
  const auto next = version(2);
  git({"update-ref", "refs/heads/next", next.str()});
  const auto result = change_branch("next");
  ASSERT_TRUE(result.change);
  EXPECT_EQ(result.change->kind, DeploymentKind::Set);
  EXPECT_EQ(result.change->commit, next);
  EXPECT_EQ(result.change->detail, "branch \"main\" to \"next\"");
  EXPECT_TRUE(run(*result.change).outcome.live);
  EXPECT_TRUE(has_left_unused_branch(operator_, result));
}

TEST_F(SourceOfAnApp, ABranchThatDoesNotExistBeginsAtTheCommitThatRuns) {
  live_app("blog");
  add_app("shop");
  const auto result = change_branch("next");
  ASSERT_TRUE(result.change);
  EXPECT_EQ(result.change->commit, repository().head_of(branch_));
  EXPECT_FALSE(result.change->previous);
  EXPECT_FALSE(has_left_unused_branch(operator_, result)) << "shop runs from it";
}

TEST_F(SourceOfAnApp, ARepoMustExistAndHaveTheBranch) {
  live_app("blog");
  const auto other = RepoName::parse("other");
  EXPECT_THAT(refusal([&] { change_source(operator_, blog_, {.repo = other, .branch = {}}); }),
              HasSubstr("there is no repo other | create an app for it"));
  create_app(platform(), AppName::parse("shop"), {other, branch_});
  EXPECT_THAT(refusal([&] { change_source(operator_, blog_, {.repo = other, .branch = {}}); }),
              StartsWith("branch \"main\" of repo other has no commit"));
}

TEST_F(SourceOfAnApp, ABuildRootMustContainThePath) {
  add_app("blog");
  const auto set = [&](const SourceEdit& edit) { return change_source(operator_, blog_, edit); };
  EXPECT_TRUE(set({.repo = {}, .branch = {}, .path = "apps/web", .config = {}, .build_root = "apps"}).is_saved);
  EXPECT_THAT(refusal([&] { set({.repo = {}, .branch = {}, .path = "services"}); }), HasSubstr("services"));
  EXPECT_TRUE(set({.repo = {}, .branch = {}, .path = "services", .config = {}, .build_root = ""}).is_saved);
  EXPECT_FALSE(app("blog").build_root);
}

}  // namespace
}  // namespace pushrod
