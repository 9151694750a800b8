// Apps, repos and keys.
#include "fixture.hh"

namespace pushrod {
namespace {

class StoreApps : public StoreTest {};

TEST_F(StoreApps, ComeBackAsTheyWereAdded) {
  const App added =
      store().add_app(app_name("blog"), {RepoName::parse("site"), BranchName::parse("a'b;$(id)"), "services/blog"});
  EXPECT_EQ(added.name.str(), "blog");
  EXPECT_EQ(added.repo.str(), "site");
  EXPECT_EQ(added.branch.str(), "a'b;$(id)");
  EXPECT_EQ(added.path, "services/blog");
  EXPECT_EQ(added.live, std::nullopt);
  EXPECT_LT(std::chrono::abs(now() - added.created), std::chrono::minutes(1));
  close();
  const std::optional<App> read = store().app(app_name("blog"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, added.id);
  EXPECT_EQ(read->branch, added.branch);
  EXPECT_EQ(store().app(added.id)->name, added.name);
  EXPECT_EQ(store().app(added.id + 1), std::nullopt);
  EXPECT_FALSE(store().app(app_name("shop")));
}

TEST_F(StoreApps, HaveUniqueNames) {
  add_app("blog");
  EXPECT_THROW(add_app("blog", "other"), UserError);
  EXPECT_EQ(store().apps().size(), 1u);
  EXPECT_EQ(store().repos().size(), 1u);
}

TEST_F(StoreApps, AreFoundByRepoAndBranch) {
  add_app("shop", "site", "main");
  add_app("blog", "site", "main");
  add_app("next", "site", "next");
  add_app("api", "api", "main");
  const auto names = [](const std::vector<App>& apps) {
    std::string text;
    for (const App& app : apps) text += app.name.str() + " ";
    return text;
  };
  EXPECT_EQ(names(store().apps()), "api blog next shop ");
  EXPECT_EQ(names(store().apps_of(RepoName::parse("site"))), "blog next shop ");
  EXPECT_EQ(names(store().apps_of(RepoName::parse("site"), BranchName::parse("main"))), "blog shop ");
  EXPECT_EQ(names(store().apps_of(RepoName::parse("nope"))), "");
  ASSERT_EQ(store().repos().size(), 2u);
  EXPECT_EQ(store().repos()[0].str(), "api");
  EXPECT_EQ(store().repos()[1].str(), "site");
}

TEST_F(StoreApps, TakeTheirRepoWithThemWhenTheyAreTheLastOfIt) {
  const App blog = add_app("blog");
  const App shop = add_app("shop");
  store().remove_app(blog.id);
  EXPECT_EQ(store().repos().size(), 1u);
  store().remove_app(shop.id);
  EXPECT_TRUE(store().repos().empty());
  store().remove_app(shop.id);  // once more is nothing
  EXPECT_EQ(store().integrity(), "ok");
}

TEST_F(StoreApps, CreatedAgainSeeNothingOfTheOld) {
  const App old = add_app("blog");
  store().add_key(KeyName::parse("ann"), "ssh-ed25519 A", "SHA256:a", Role::Admin, {old.name});
  deploy({old});
  deploy({old});
  begin({old});
  store().remove_app(old.id);
  EXPECT_TRUE(store().instances().empty());
  EXPECT_TRUE(store().unfinished_deployments().empty());

  const App young = add_app("blog");
  EXPECT_NE(young.id, old.id);
  EXPECT_EQ(young.live, std::nullopt);
  EXPECT_TRUE(store().deployments(young.id, 100).empty());
  EXPECT_TRUE(store().releases(young.id).empty());
  EXPECT_TRUE(store().instances(young.id).empty());
  // Nor does who still holds the old id.
  EXPECT_FALSE(store().app(old.id));
  EXPECT_TRUE(store().deployments(old.id, 100).empty());
  EXPECT_THROW(begin({old}), UserError);
  // The old app's key is neither a key of the new one nor an administrator's.
  const Key key = store().keys().at(0);
  EXPECT_FALSE(key.may_use(young.name));
  EXPECT_FALSE(key.is_admin());
  EXPECT_EQ(begin({young})[0].number, 1u);
  EXPECT_EQ(store().integrity(), "ok");
}

TEST_F(StoreApps, LeaveTheOthersOfTheirGroupWhenTheyAreRemoved) {
  const App blog = add_app("blog");
  const App shop = add_app("shop");
  const auto both = deploy({blog, shop});
  store().remove_app(blog.id);
  ASSERT_EQ(store().group(both[0].group).size(), 1u);
  EXPECT_EQ(store().group(both[0].group)[0].app, shop.name);
  EXPECT_EQ(store().app(shop.id)->live, 1u);
  store().remove_app(shop.id);
  EXPECT_TRUE(store().group(both[0].group).empty());
  EXPECT_THROW(store().advance(both[0].group, DeploymentState::Running), Error);
  EXPECT_EQ(store().integrity(), "ok");
}

TEST_F(StoreApps, AreSummedUpForAListing) {
  const App blog = add_app("blog");
  add_app("new");
  const App shop = add_app("shop");
  deploy({blog}, {process("web", 2), process("worker", 3)});
  deploy({blog}, {process("web", 1), process("worker", 1)});
  begin({shop}, DeploymentKind::Push);
  const std::vector<AppSummary> all = store().app_summaries();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].app.name.str(), "blog");
  EXPECT_EQ(all[0].app.live, 2u);
  EXPECT_EQ(all[0].instances_wanted, 2u);
  ASSERT_TRUE(all[0].last);
  EXPECT_EQ(all[0].last->number, 2u);
  EXPECT_EQ(all[0].last->state, DeploymentState::Live);
  EXPECT_TRUE(all[0].last->ended);
  EXPECT_FALSE(all[1].last);
  EXPECT_EQ(all[1].instances_wanted, 0u);
  ASSERT_TRUE(all[2].last);
  EXPECT_EQ(all[2].last->state, DeploymentState::Waiting);
  EXPECT_EQ(all[2].last->kind, DeploymentKind::Push);
  EXPECT_FALSE(all[2].last->ended);
}

TEST_F(StoreApps, KeysComeBackWithTheirRights) {
  add_app("blog");
  add_app("shop");
  const Key admin = store().add_key(KeyName::parse("root@box"), "ssh-ed25519 A", "SHA256:a", Role::Admin, {});
  const Key ann = store().add_key(KeyName::parse("ann"), "ssh-ed25519 B", "SHA256:b", Role::Deploy,
                                  {app_name("shop"), app_name("blog"), app_name("shop")});
  EXPECT_TRUE(admin.is_admin());
  EXPECT_FALSE(ann.is_admin());
  ASSERT_EQ(ann.apps.size(), 2u);
  EXPECT_EQ(ann.apps[0].str(), "blog");
  const std::vector<Key> keys = store().keys();
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_TRUE(keys[0].may_use(app_name("blog")));
  EXPECT_EQ(keys[1].public_key, "ssh-ed25519 B");
  EXPECT_EQ(keys[1].fingerprint, "SHA256:b");
  ASSERT_TRUE(store().key(ann.id));
  EXPECT_EQ(store().key(ann.id)->apps.size(), 2u);
  EXPECT_FALSE(store().key(99));
}

TEST_F(StoreApps, KeysAreRefusedTwiceAndForAppsThatAreNotThere) {
  store().add_key(KeyName::parse("ann"), "ssh-ed25519 A", "SHA256:a", Role::Admin, {});
  EXPECT_THROW(store().add_key(KeyName::parse("ann"), "ssh-ed25519 B", "SHA256:b", Role::Admin, {}), UserError);
  EXPECT_THROW(store().add_key(KeyName::parse("bob"), "ssh-ed25519 A", "SHA256:a", Role::Admin, {}), UserError);
  EXPECT_THROW(store().add_key(KeyName::parse("bob"), "ssh-ed25519 B", "SHA256:b", Role::Admin, {app_name("no")}),
               UserError);
  EXPECT_EQ(store().keys().size(), 1u);
}

TEST_F(StoreApps, KeysAreRemovedByNameAndTheirIdNeverReturns) {
  const Key first = store().add_key(KeyName::parse("ann"), "ssh-ed25519 A", "SHA256:a", Role::Admin, {});
  store().remove_key(first.name);
  const Key second = store().add_key(KeyName::parse("anna"), "ssh-ed25519 A", "SHA256:a", Role::Admin, {});
  EXPECT_GT(second.id, first.id);
  EXPECT_FALSE(store().key(first.id));
  try {
    store().remove_key(first.name);
    FAIL() << "removed";
  } catch (const UserError& error) {
    EXPECT_EQ(error.hint(), "did you mean anna?");
  }
}

TEST_F(StoreApps, ChangesAreSeenInTheDataVersion) {
  add_app("blog");
  const std::int64_t before = store().data_version();
  EXPECT_EQ(store().data_version(), before);
  store().apps();
  EXPECT_EQ(store().data_version(), before);
  add_app("shop");
  const std::int64_t own = store().data_version();
  EXPECT_NE(own, before);
  Store other(file());
  other.remove_app(1);
  EXPECT_NE(store().data_version(), own);
}

}  // namespace
}  // namespace pushrod
