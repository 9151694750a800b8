// Apps: who may create, rename and destroy them, and what their views show, as JSON.
#include "operate/apps.hh"

#include "fixtures.hh"
#include "operate/app_views.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kForAdministrators = "this is for administrators of this machine";

class AppsOfAMachine : public OperateTest {
 protected:
  const AppName shop_ = AppName::parse("shop");
};

TEST_F(AppsOfAMachine, CreatingOneNamesTheAddressToPushTo) {
  const auto created = create_app(operator_, blog_, {repo_, branch_});
  EXPECT_EQ(created.app.name, blog_);
  EXPECT_FALSE(created.commit);
  EXPECT_THAT(created.push_url, HasSubstr("@example.org:2222/site"));
  EXPECT_THAT(created.url, HasSubstr("blog.example.org"));
  EXPECT_EQ(last_record(), "app create repo site, branch main: done");
  EXPECT_THAT(refusal([&] { create_app(operator_, blog_, {repo_, branch_}); }), HasSubstr("blog"));
  EXPECT_THAT(last_record(), StartsWith("app create repo site, branch main: failed: "));
}

TEST_F(AppsOfAMachine, CreatingOneOnAnExistingBranchNamesItsCommit) {
  live_app("blog");
  EXPECT_EQ(create_app(operator_, shop_, {repo_, branch_}).commit, repository().head_of(branch_));
}

TEST_F(AppsOfAMachine, NamesBelongToTheMachine) {
  live_app("blog");
  auto& admin_of_blog = with_key("otto", Role::Admin, {blog_});
  EXPECT_THAT(refusal([&] { create_app(admin_of_blog, shop_, {repo_, branch_}); }), StartsWith(kForAdministrators));
  EXPECT_THAT(refusal([&] { rename_change(admin_of_blog, blog_, shop_); }), StartsWith(kForAdministrators));
}

TEST_F(AppsOfAMachine, ANewNameMustBeFree) {
  live_app("blog");
  add_app("shop");
  EXPECT_THAT(refusal([&] { rename_change(operator_, blog_, blog_); }), StartsWith("no change: "));
  EXPECT_THAT(refusal([&] { rename_change(operator_, blog_, shop_); }), StartsWith("an app named shop already exists"));
  const auto change = rename_change(operator_, blog_, AppName::parse("wiki"));
  EXPECT_EQ(change.kind, DeploymentKind::Rename);
  EXPECT_EQ(change.detail, "blog to wiki");
}

TEST_F(AppsOfAMachine, DestroyingTakesTheRepoWithItsLastApp) {
  add_app("blog");
  add_app("shop");
  EXPECT_FALSE(removal_of(operator_, blog_).with_repo);
  EXPECT_FALSE(destroy_app(operator_, blog_).with_repo);
  EXPECT_EQ(last_record(), "app destroy : done");
  EXPECT_TRUE(destroy_app(operator_, shop_).with_repo);
  EXPECT_FALSE(is_directory(layout_.repo(repo_)));
}

TEST_F(AppsOfAMachine, DestroyingNeedsTheRightToAdministerTheApp) {
  add_app("blog");
  add_app("shop");
  auto& deployer = with_key("dora", Role::Deploy, {blog_});
  EXPECT_THAT(refusal([&] { destroy_app(deployer, blog_); }), HasSubstr("does not allow that"));
  EXPECT_THAT(refusal([&] { removal_of(deployer, blog_); }), HasSubstr("does not allow that"));
  auto& admin = with_key("otto", Role::Admin, {blog_});
  EXPECT_THAT(refusal([&] { destroy_app(admin, shop_); }), StartsWith("there is no app \"shop\""));
  destroy_app(admin, blog_);
  EXPECT_FALSE(store().app(blog_));
}

TEST_F(AppsOfAMachine, ListsShowWhatTheCallerMaySee) {
  live_app("blog");
  add_app("shop");
  auto& viewer = with_key("vera", Role::View, {shop_});
  const auto lines = list_apps(viewer);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(to_json(lines[0]).dump(),
            R"({"app":"shop","state":"not deployed","traffic":"unavailable","release":null,"instances":0,"running":0,)"
            R"("repo":"site","branch":"main","url":")" +
                lines[0].url + R"("})");
  const auto repos = list_repos(viewer);
  ASSERT_EQ(repos.size(), 1U);
  EXPECT_EQ(to_json(repos[0])["branches"].dump(), R"([{"branch":"main","apps":["shop"]}])");
  EXPECT_EQ(list_apps(operator_).size(), 2U);
  EXPECT_THAT(list_repos(operator_)[0].branches.at("main"), ElementsAre("blog", "shop"));
}

TEST_F(AppsOfAMachine, AListShowsADeploymentInProgress) {
  const auto blog = live_app("blog");
  EXPECT_EQ(list_apps(operator_)[0].state, "running");
  EXPECT_EQ(list_apps(operator_)[0].running, 2U);
  store().begin_deployments(
      {{.app_id = blog.id, .kind = DeploymentKind::Remove, .commit = {}, .previous = {}, .author = "ann"}});
  EXPECT_EQ(list_apps(operator_)[0].state, "deploying");
}

TEST_F(AppsOfAMachine, AnAppIsShownAsJson) {
  const auto blog = live_app("blog");
  auto json = to_json(app_info(operator_, blog_));
  EXPECT_EQ(json["push"], push_url_of(settings_, repo_));
  EXPECT_EQ(json["commit"], repository().head_of(branch_)->str());
  for (const auto* varies : {"created", "url", "push", "commit"}) json.erase(varies);
  EXPECT_EQ(
      json.dump(),
      R"({"app":"blog","repo":"site","branch":"main","path":"","config":"pushrod.toml","build_root":null,)"
      R"("release":1,"state":"running","traffic":"served","watched":null,"fallback":null,"data_bytes":0,)"
      R"("backup":{"last_good":null,"target":null,"scheduled":false,"problem":null},)"
      R"("snapshots":{"releases":[],"bytes":0},"services":[],"domains":[],"builder":"none",)"
      R"("processes":[{"type":"web","command":"serve","count":1},{"type":"worker","command":"work","count":1}]})");
}

TEST_F(AppsOfAMachine, AStoppedAppTellsWhy) {
  live_app("blog");
  auto stop = change(DeploymentKind::Stop, repository().head_of(branch_));
  stop.detail = "it used all of the memory";
  EXPECT_TRUE(run(stop).outcome.live);
  EXPECT_EQ(app_info(operator_, blog_).stop_reason, "it used all of the memory");
  EXPECT_EQ(app_info(operator_, blog_).condition.state, "stopped");
}

TEST_F(AppsOfAMachine, ACheckTellsWhetherTheAppWorks) {
  live_app("blog");
  EXPECT_TRUE(to_json(check_app(operator_, blog_))["ok"]);
  reconcile();
  engine().lose(instance("blog.1.worker.1"));
  const auto json = to_json(check_app(operator_, blog_));
  EXPECT_FALSE(json["ok"]);
  EXPECT_EQ(json["instances"].size(), 2U);
}

TEST_F(AppsOfAMachine, AKeyForAnotherAppFindsNoApp) {
  add_app("blog");
  auto& stranger = with_key("stan", Role::Admin, {add_app("shop").name});
  EXPECT_THAT(refusal([&] { app_info(stranger, blog_); }), StartsWith("there is no app \"blog\""));
  EXPECT_THAT(refusal([&] { check_app(stranger, blog_); }), StartsWith("there is no app \"blog\""));
  EXPECT_THAT(refusal([&] { destroy_app(stranger, blog_); }), StartsWith("there is no app \"blog\""));
}

}  // namespace
}  // namespace pushrod
