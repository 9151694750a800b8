// Releases: who may see them and roll back, which release a rollback chooses, and the views as JSON.
#include "operate/releases.hh"

#include "fixtures.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class Releases : public OperateTest {
 protected:
  // Releases 1 and 2 of "blog", with a restart of the second one: 3.
  void make_three() {
    add_app("blog");
    const auto first = version(1);
    EXPECT_TRUE(run(push_of(first)).outcome.live);
    EXPECT_TRUE(run(push_of(version(2, first))).outcome.live);
    EXPECT_TRUE(run(restart()).outcome.live);
  }
  std::vector<ReleaseNumber> numbers() {
    std::vector<ReleaseNumber> numbers;
    for (const auto& view : list_releases(operator_, blog_)) numbers.push_back(view.release.number);
    return numbers;
  }
};

TEST_F(Releases, AreListedNewestFirst) {
  make_three();
  EXPECT_THAT(numbers(), ElementsAre(3U, 2U, 1U));
  const auto views = list_releases(operator_, blog_);
  EXPECT_TRUE(views[0].is_live);
  EXPECT_FALSE(views[1].is_live);
  ASSERT_TRUE(views[0].made_by.has_value());
  EXPECT_EQ(views[0].made_by->kind, DeploymentKind::Restart);
}

TEST_F(Releases, TheirViewIsJson) {
  make_three();
  auto json = to_json(release_info(operator_, blog_, 2));
  json.erase("created");
  json.erase("commit");
  EXPECT_EQ(
      json.dump(),
      R"({"app":"blog","number":2,"live":false,"snapshot":false,"builder":"none","kind":"push",)"
      R"("author":"ann","detail":"",)"
      R"("writable":[],"mounts":{},"processes":{"web":1,"worker":1},"settings":[],"before":1,"changes":[{"what":"commit",)"
      R"("from":")" +
          release_info(operator_, blog_, 1).view.release.commit.str().substr(0, 10) + R"(","to":")" +
          release_info(operator_, blog_, 2).view.release.commit.str().substr(0, 10) + R"("}]})");
  EXPECT_EQ(to_json(release_info(operator_, blog_, 1))["before"], nullptr);
}

TEST_F(Releases, OneThatIsNotKeptIsRefused) {
  make_three();
  EXPECT_THAT(refusal([&] { release_info(operator_, blog_, 9); }), StartsWith("release 9 of blog is not kept"));
  EXPECT_THAT(refusal([&] { rollback_change(operator_, blog_, 9); }), StartsWith("release 9 of blog is not kept"));
}

TEST_F(Releases, ARollbackPassesOverReleasesThatAreTheSame) {
  make_three();
  const auto change = rollback_change(operator_, blog_, {});
  EXPECT_EQ(change.kind, DeploymentKind::Rollback);
  EXPECT_EQ(change.detail, "to release 1");
  EXPECT_TRUE(run(change).outcome.live);
  EXPECT_EQ(repository().head_of(branch_), release_info(operator_, blog_, 1).view.release.commit);
}

TEST_F(Releases, ARollbackNeedsAnotherRelease) {
  add_app("blog");
  EXPECT_THAT(refusal([&] { rollback_change(operator_, blog_, {}); }), StartsWith("app blog is not deployed"));
  EXPECT_TRUE(run(push_of(version(1))).outcome.live);
  EXPECT_THAT(refusal([&] { rollback_change(operator_, blog_, {}); }), StartsWith("no release of blog"));
  EXPECT_THAT(refusal([&] { rollback_change(operator_, blog_, 1); }), StartsWith("no change: release 1 of blog is"));
}

TEST_F(Releases, AllAppsOfABranchGoBackTogether) {
  add_app("shop");
  make_three();
  const auto change = rollback_change(operator_, blog_, 1);
  EXPECT_EQ(change.apps.size(), 2U);
  EXPECT_EQ(change.releases.size(), 2U);
  auto& deployer = with_key("dora", Role::Deploy, {blog_});
  const auto refused = refusal([&] { rollback_change(deployer, blog_, 1); });
  EXPECT_THAT(refused, HasSubstr("may not deploy all of them"));
  EXPECT_THAT(refused, testing::Not(HasSubstr("shop")));
  EXPECT_EQ(rollback_change(deployer, blog_, 2).apps.size(), 1U) << "the branch does not move";
}

TEST_F(Releases, AViewKeySeesThemAndDoesNotRollBack) {
  make_three();
  auto& viewer = with_key("vera", Role::View, {blog_});
  EXPECT_EQ(list_releases(viewer, blog_).size(), 3U);
  EXPECT_EQ(release_info(viewer, blog_, 1).view.release.number, 1U);
  EXPECT_THAT(refusal([&] { rollback_change(viewer, blog_, 1); }), HasSubstr("does not allow that"));
}

TEST_F(Releases, AKeyForAnotherAppFindsNoApp) {
  make_three();
  auto& stranger = with_key("stan", Role::Admin, {add_app("shop").name});
  EXPECT_THAT(refusal([&] { list_releases(stranger, blog_); }), StartsWith("there is no app \"blog\""));
  EXPECT_THAT(refusal([&] { release_info(stranger, blog_, 1); }), StartsWith("there is no app \"blog\""));
  EXPECT_THAT(refusal([&] { rollback_change(stranger, blog_, 1); }), StartsWith("there is no app \"blog\""));
}

TEST_F(Releases, TheSubjectIsThatOfTheCommit) {
  make_three();
  EXPECT_EQ(subject_of(operator_, release_info(operator_, blog_, 1).view.release), "version 1");
}

}  // namespace
}  // namespace pushrod
