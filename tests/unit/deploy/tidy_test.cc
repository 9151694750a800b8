// The tidier: when an app is tidied, and again when that has failed.
#include "deploy/tidy.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/left_locks.hh"
#include "os/file_lock.hh"
#include "world.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Tidying : public DeployTest {
 protected:
  Tidying() : name_(add_app("blog").name) {}
  std::string kept_commits() const { return git({"for-each-ref", "--format=%(refname)", "refs/pushrod"}); }
  AppName name_;
};

TEST_F(Tidying, AnAppWhosePushesAllFailKeepsNoMoreThanAnother) {
  here_->settings.keep_deployments = 2;
  engine().unhealthy = "web";
  Tidier tidier(platform());
  for (int number = 1; number <= 5; ++number) {
    EXPECT_FALSE(run(push_of(version(number))).outcome.live);
    make_directory(layout_.instance_log(instance(fmt::format("blog.{}.web.1", number))));
    EXPECT_TRUE(tidier.pass());
  }
  EXPECT_THAT(list_directory(layout_.logs(name_) / "deployments"), ElementsAre("4.log", "5.log"));
  EXPECT_THAT(list_directory(layout_.instance_logs(name_)), ElementsAre("4.web.1", "5.web.1"));
  EXPECT_EQ(store().deployments(app("blog").id, 10).size(), 2U);
}

TEST_F(Tidying, AnAppWhoseLockIsHeldIsTidiedLater) {
  ASSERT_TRUE(run(push_of(version(1))).outcome.live);
  reconcile();
  Tidier tidier(platform());
  {
    const auto lock = FileLock::acquire(layout_.app_lock(name_));
    lock.announce("waking blog");
    EXPECT_FALSE(tidier.pass()) << "soon: nobody calls when it is done";
    store().begin_deployments({{app("blog").id, DeploymentKind::Restart, version(1), {}, "ann"}});
    EXPECT_TRUE(tidier.pass()) << "the end of a deployment does";
  }
  EXPECT_EQ(kept_commits(), "");
  store().fail(store().unfinished_deployments().front().group, {DeploymentState::Failed, "no", ""});
  EXPECT_TRUE(tidier.pass());
  EXPECT_EQ(kept_commits(), "refs/pushrod/keep/blog/1");
}

TEST_F(Tidying, LockFilesOfWhatHasEndedAreRemoved) {
  ASSERT_TRUE(run(push_of(version(1))).outcome.live);
  store().begin_deployments({{app("blog").id, DeploymentKind::Restart, version(1), {}, "ann"}});
  const auto going_on = layout_.group_lock(store().unfinished_deployments().front().group);
  const auto ended = layout_.group_lock(1), ended_job = layout_.job_lock(7), still_held = layout_.group_lock(99);
  for (const auto& lock : {going_on, ended, ended_job}) write_file(lock, "", 0600, false);
  {
    const auto held = FileLock::acquire(still_held);
    remove_left_locks(platform());
  }
  EXPECT_TRUE(fs::exists(going_on));
  EXPECT_TRUE(fs::exists(still_held)) << "its process has not ended";
  EXPECT_FALSE(fs::exists(ended));
  EXPECT_FALSE(fs::exists(ended_job));
  Tidier(platform()).pass();
  EXPECT_FALSE(fs::exists(still_held));
}

TEST_F(Tidying, WhatHasFailedIsTriedAgain) {
  ASSERT_TRUE(run(push_of(version(1))).outcome.live);
  reconcile();
  Tidier tidier(platform());
  const auto away = layout_.root() / "away";
  rename_path(layout_.repo(repo_), away);
  tidier.pass();
  rename_path(away, layout_.repo(repo_));
  EXPECT_EQ(kept_commits(), "");
  tidier.pass();
  EXPECT_EQ(kept_commits(), "refs/pushrod/keep/blog/1");
}

}  // namespace
}  // namespace pushrod
