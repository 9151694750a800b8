// Making and destroying apps: what goes with an app, what others keep, and two at once.
#include "deploy/apps.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "world.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Apps : public DeployTest {
 protected:
  App add_on(const std::string& name, const std::string& branch) {
    return create_app(platform(), AppName::parse(name), {repo_, BranchName::parse(branch)});
  }
  void deploy_all() {
    ASSERT_TRUE(run(push_of(version(1))).outcome.live);
    reconcile();
  }
  bool has_repo() const { return is_directory(layout_.repo(repo_)); }
  pid_t destroy_beside(const App& app, const FileLock& others) {
    return in_child([&] {
      ::close(others.fd());  // inherited, it would hold what it waits for
      const View view(layout_, settings_);
      destroy_app(view.platform, app);
    });
  }
};

TEST_F(Apps, TheLastOneOfARepoLeavesNothing) {
  const auto blog = add_app("blog");
  deploy_all();
  make_directory(layout_.data(blog.name));
  write_file(layout_.data(blog.name) / "note", "x", 0600, false);
  destroy_app(platform(), app("blog"));
  EXPECT_FALSE(has_repo());
  for (const auto& directory : {layout_.checkouts(blog.name), layout_.releases(blog.name), layout_.cache(blog.name),
                                layout_.data(blog.name), layout_.logs(blog.name)}) {
    EXPECT_FALSE(fs::exists(directory)) << directory;
  }
  EXPECT_THAT(list_directory(layout_.trash()), IsEmpty());
  EXPECT_THAT(store().apps(), IsEmpty());
  EXPECT_TRUE(engine().states().empty());
  EXPECT_EQ(engine().forgotten_apps, std::vector{blog.name});
}

TEST_F(Apps, ABranchIsRemovedWithTheLastAppThatRunsFromIt) {
  add_app("blog");
  const auto docs = add_on("docs", "docs");
  deploy_all();
  git({"branch", "docs", "main"});
  destroy_app(platform(), docs);
  EXPECT_EQ(git({"for-each-ref", "--format=%(refname)", "refs/heads"}), "refs/heads/main");
  add_on("admin", "main");
  destroy_app(platform(), app("blog"));
  EXPECT_EQ(git({"for-each-ref", "--format=%(refname)", "refs/heads"}), "refs/heads/main");
}

TEST_F(Apps, OneThatIsGoneAlreadyTakesNothingOfOthers) {
  const auto docs = add_on("docs", "docs");
  add_app("blog");
  deploy_all();
  destroy_app(platform(), docs);
  EXPECT_THROW(destroy_app(platform(), docs), UserError);
  EXPECT_TRUE(has_repo());
  EXPECT_EQ(engine().states().size(), 2U) << "of blog";
}

TEST_F(Apps, TheRepoIsRemovedWhenAllOfItsAppsAreDestroyedAtOnce) {
  std::vector<App> apps;
  for (const auto* name : {"a", "b", "c"}) apps.push_back(add_on(name, name));
  std::vector<pid_t> children;
  {
    // Nobody gets past this before all of them are on their way.
    const auto lock = FileLock::acquire(layout_.repo_lock(repo_));
    close();
    for (const auto& app : apps) children.push_back(destroy_beside(app, lock));
  }
  for (const auto child : children) EXPECT_EQ(ended(child), 0);
  open();
  EXPECT_THAT(store().apps(), IsEmpty());
  EXPECT_FALSE(has_repo());
}

TEST_F(Apps, AnAppWhoseRepoIsBeingRemovedGetsANewOne) {
  add_app("blog");
  deploy_all();
  auto lock = std::optional(FileLock::acquire(layout_.repo_lock(repo_)));
  close();
  const auto child = in_child([&] {
    ::close(lock->fd());
    const View view(layout_, settings_);
    create_app(view.platform, AppName::parse("next"), {repo_, branch_});
  });
  open();
  discard(layout_, layout_.repo(repo_));
  lock.reset();
  EXPECT_EQ(ended(child), 0);
  EXPECT_EQ(repository().head_of(branch_), std::nullopt);
}

}  // namespace
}  // namespace pushrod
