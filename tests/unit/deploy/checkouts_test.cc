// Where checkouts lie: every arrangement that a crash may leave converges to the right one, and what is kept for how
// long.
#include "deploy/placement.hh"
#include "deploy/retention.hh"
#include "deploy/trash.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "world.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Checkouts : public DeployTest {
 protected:
  Checkouts() { add_app("blog"); }
  // A release that went live, without any instance; `checkout`: another release's.
  ReleaseNumber release(std::optional<ReleaseNumber> checkout = {}, bool with_instance = false) {
    const auto id = CommitId::parse(std::string(40, 'a'));
    const auto begun = store().begin_deployments({{app("blog").id, DeploymentKind::Redeploy, id, id, "ann"}}).front();
    store().advance(begun.group, DeploymentState::Running);
    ProcessTable processes;
    if (with_instance) processes.push_back({.type = ProcessType::parse("web"), .command = "serve", .health = {}});
    const Release made{
        begun.app_id, name_, begun.number,        id, checkout.value_or(begun.number), "none", processes, {}, {},
        {},           now(), app("blog").source()};
    store().add_release(made);
    store().add_instances(made, {}, 21000, 21999, always_free);
    store().advance(begun.group, DeploymentState::Ready);
    store().commit_group(begun.group);
    store().advance(begun.group, DeploymentState::Live);
    return begun.number;
  }
  void put(const fs::path& directory) {
    make_directory(directory / "tree");
    write_file(directory / "tree" / "from", directory.parent_path().parent_path().filename().string(), 0600, false);
  }
  void in_use(const std::string& entry) { put(layout_.checkouts(name_) / entry); }
  void kept(const std::string& entry) { put(layout_.releases(name_) / entry); }
  std::vector<std::string> in_use() { return list_directory(layout_.checkouts(name_)); }
  std::vector<std::string> kept() { return list_directory(layout_.releases(name_)); }
  std::vector<ReleaseNumber> releases() {
    std::vector<ReleaseNumber> numbers;
    for (const auto& release : store().releases(app("blog").id)) numbers.push_back(release.number);
    return numbers;
  }
  void place(std::optional<ReleaseNumber> deploying = {}) { place_checkouts(platform(), app("blog"), deploying); }
  void prune() { prune_releases(platform(), app("blog")); }
  AppName name_ = AppName::parse("blog");
};

TEST_F(Checkouts, TheLiveOneComesBackFromTheKept) {
  release();
  kept("1");
  place();
  EXPECT_THAT(in_use(), ElementsAre("1"));
  EXPECT_THAT(kept(), IsEmpty());
}

TEST_F(Checkouts, TheOthersGoToTheKept) {
  release();
  release();
  in_use("1");
  in_use("2");
  place();
  EXPECT_THAT(in_use(), ElementsAre("2"));
  EXPECT_THAT(kept(), ElementsAre("1"));
}

TEST_F(Checkouts, TheOneThatIsBeingDeployedStaysWithTheLiveOne) {
  release();
  in_use("1");
  in_use("2");
  place(2);
  EXPECT_THAT(in_use(), ElementsAre("1", "2"));
  place();
  EXPECT_THAT(in_use(), ElementsAre("1")) << "no release needs it";
}

TEST_F(Checkouts, WhatNoReleaseNeedsIsDiscardedFromBothPlaces) {
  release();
  for (const auto* stranger : {"2", "01", "1.old", "x", "0", "99999999999999999999"}) {
    in_use(stranger);
    kept(stranger);
  }
  in_use("1");
  write_file(layout_.releases(name_) / "a-file", "x", 0600, false);
  place();
  EXPECT_THAT(in_use(), ElementsAre("1"));
  EXPECT_THAT(kept(), IsEmpty());
}

TEST_F(Checkouts, TheOneInItsPlaceStaysWhenThereIsAnother) {
  release();
  release();
  for (const auto* number : {"1", "2"}) {
    in_use(number);
    kept(number);
  }
  place();
  EXPECT_THAT(in_use(), ElementsAre("2"));
  EXPECT_THAT(kept(), ElementsAre("1"));
  EXPECT_EQ(read_file(layout_.checkout(name_, 2).tree() / "from"), "checkouts");
  EXPECT_EQ(read_file(layout_.kept_checkout(name_, 1).tree() / "from"), "releases");
}

TEST_F(Checkouts, AnAppThatIsNotDeployedHasNone) {
  in_use("1");
  kept("2");
  place();
  EXPECT_THAT(in_use(), IsEmpty());
  EXPECT_THAT(kept(), IsEmpty());
}

TEST_F(Checkouts, PlacingThemTwiceChangesNothing) {
  release();
  release();
  in_use("1");
  in_use("2");
  place();
  place();
  EXPECT_THAT(in_use(), ElementsAre("2"));
  EXPECT_THAT(kept(), ElementsAre("1"));
}

TEST_F(Checkouts, AreFoundWhereverTheyLie) {
  EXPECT_EQ(find_checkout(layout_, name_, 1).directory, layout_.checkout(name_, 1).directory);
  in_use("1");
  EXPECT_EQ(find_checkout(layout_, name_, 1).directory, layout_.checkout(name_, 1).directory);
  kept("2");
  EXPECT_EQ(find_checkout(layout_, name_, 2).directory, layout_.kept_checkout(name_, 2).directory);
}

TEST_F(Checkouts, ReleasesBeyondTheRetentionAreForgottenWithTheirCheckouts) {
  here_->settings.keep_releases = 2;
  for (int number = 1; number <= 5; ++number) in_use(std::to_string(release()));
  prune();
  EXPECT_THAT(releases(), ElementsAre(5, 4, 3));
  EXPECT_THAT(in_use(), ElementsAre("5"));
  EXPECT_THAT(kept(), ElementsAre("3", "4"));
}

TEST_F(Checkouts, TheLiveReleaseAndThePredecessorAreKeptEvenIfNoneIsToBe) {
  here_->settings.keep_releases = 0;
  for (int number = 1; number <= 3; ++number) in_use(std::to_string(release()));
  prune();
  EXPECT_THAT(releases(), ElementsAre(3, 2));
}

TEST_F(Checkouts, AReleaseWithInstancesIsKept) {
  here_->settings.keep_releases = 1;
  in_use(std::to_string(release({}, true)));
  for (int number = 2; number <= 4; ++number) in_use(std::to_string(release()));
  prune();
  EXPECT_THAT(releases(), ElementsAre(4, 3, 1));
  EXPECT_THAT(kept(), ElementsAre("1", "3"));
  store().remove_instance(instance("blog.1.web.1"));
  prune();
  EXPECT_THAT(releases(), ElementsAre(4, 3));
  EXPECT_THAT(kept(), ElementsAre("3"));
}

TEST_F(Checkouts, TheCheckoutOfARestartOutlivesTheReleaseThatBuiltIt) {
  here_->settings.keep_releases = 1;
  in_use(std::to_string(release()));
  for (int number = 2; number <= 22; ++number) release(1);
  prune();
  EXPECT_EQ(releases().size(), 21U) << "the live one, and the newest twenty of those that ran on the same";
  EXPECT_EQ(releases().back(), 2U);
  EXPECT_THAT(in_use(), ElementsAre("1"));
  in_use(std::to_string(release()));
  prune();
  EXPECT_THAT(kept(), ElementsAre("1")) << "release 22 ran on it";
}

TEST_F(Checkouts, RestartsDoNotDriveOutOlderCode) {
  here_->settings.keep_releases = 2;
  for (int number = 1; number <= 4; ++number) in_use(std::to_string(release()));
  for (int count = 0; count < 4; ++count) release(4);
  prune();
  EXPECT_THAT(releases(), ElementsAre(8, 7, 6, 5, 4, 3, 2));
  EXPECT_THAT(in_use(), ElementsAre("4"));
  EXPECT_THAT(kept(), ElementsAre("2", "3"));
  EXPECT_TRUE(expendable_releases(platform(), app("blog"), 2).empty());
  EXPECT_EQ(expendable_releases(platform(), app("blog"), 1).size(), 1U);
}

TEST_F(Checkouts, OldDeploymentsAreForgottenWithTheirLogs) {
  here_->settings.keep_releases = 1;
  here_->settings.keep_deployments = 2;
  for (int number = 1; number <= 4; ++number) {
    const auto log = layout_.deployment_log(name_, release());
    make_directory(log.parent_path());
    write_file(log, "told", 0600, false);
  }
  prune();
  EXPECT_FALSE(fs::exists(layout_.deployment_log(name_, 2)));
  EXPECT_TRUE(fs::exists(layout_.deployment_log(name_, 3)));
  EXPECT_FALSE(store().deployment(app("blog").id, 2).has_value());
}

TEST_F(Checkouts, SeveralMayEmptyTheTrashAtOnce) {
  for (int tree = 0; tree < 20; ++tree) {
    for (int file = 0; file < 50; ++file) in_use(fmt::format("{}/{}", tree, file));
    discard(layout_, layout_.checkouts(name_) / std::to_string(tree));
  }
  close();
  std::vector<pid_t> children;
  for (int count = 0; count < 3; ++count) children.push_back(in_child([&] { empty_trash(layout_); }));
  for (const auto child : children) EXPECT_EQ(ended(child), 0);
  EXPECT_THAT(list_directory(layout_.trash()), IsEmpty());
  open();
}

TEST_F(Checkouts, WhatIsDiscardedIsAwayAtOnceAndDeletedLater) {
  in_use("1");
  kept("1");
  discard(layout_, layout_.checkouts(name_) / "1");
  discard(layout_, layout_.releases(name_) / "1");
  EXPECT_THAT(in_use(), IsEmpty());
  EXPECT_EQ(list_directory(layout_.trash()).size(), 2U);
  empty_trash(layout_);
  EXPECT_THAT(list_directory(layout_.trash()), IsEmpty());
  empty_trash(layout_);
}

}  // namespace
}  // namespace pushrod
