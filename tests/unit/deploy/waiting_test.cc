// Deployments that wait for another one, or for a build slot.
#include "deploy/deploy.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "os/stop_signal.hh"
#include "pipeline.hh"

namespace pushrod {
namespace {

// Reads what a deployment tells until it says this.
bool says(int fd, const std::string& words) {
  std::string text;
  const Deadline deadline(kPatience);
  pollfd ready{fd, POLLIN, 0};
  while (text.find(words) == std::string::npos && !deadline.passed()) {
    if (poll(&ready, 1, static_cast<int>(deadline.left().count())) <= 0) continue;
    char buffer[4096];
    const auto count = read(fd, buffer, sizeof buffer);
    if (count <= 0) return false;
    text.append(buffer, static_cast<std::size_t>(count));
  }
  return text.find(words) != std::string::npos;
}

class Waiting : public Pipeline {
 protected:
  // A deployment in a process of its own; ends with 0 when it is live, otherwise with 3.
  pid_t deploy_beside(const Change& change, const Pipe& told, const FileLock& others) {
    const auto child = in_child([&] {
      ::close(others.fd());  // inherited, it would hold what it waits for
      const int cancel_fd = stop_signal_fd();
      const View view(layout_, settings_);
      Journal journal(told.write_end.get());
      _exit(deploy(view.platform, change, journal, cancel_fd).live ? 0 : 3);
    });
    return child;
  }
};

TEST_F(Waiting, ItNamesTheDeploymentThatItWaitsForAndThenGoesOn) {
  deploy_first();
  const auto change = push_of(version(2, first_));
  auto lock = FileLock::try_acquire(layout_.app_lock(AppName::parse("blog")));
  lock->announce("the deployment of blog by bob");
  close();
  const auto told = make_pipe();
  const auto child = deploy_beside(change, told, *lock);
  EXPECT_TRUE(says(told.read_end.get(), "-----> Waiting for the deployment of blog by bob\n"));
  lock.reset();
  EXPECT_EQ(ended(child), 0);
  open();
  reconcile();
  check_invariants("when it had its turn");
}

TEST_F(Waiting, ANewerPushTakesThePlaceOfOneThatStillWaits) {
  deploy_first();
  const auto second = version(2, first_), third = version(3, second);
  const auto older = push_of(second), newer = push_of(third);
  auto lock = FileLock::try_acquire(layout_.app_lock(AppName::parse("blog")));
  lock->announce("the deployment of blog by bob");
  close();
  const auto told = make_pipe(), told_newer = make_pipe();
  const auto waits = deploy_beside(older, told, *lock);
  ASSERT_TRUE(says(told.read_end.get(), "Waiting for"));
  const auto replaces = deploy_beside(newer, told_newer, *lock);
  EXPECT_TRUE(says(told.read_end.get(), " !     superseded by deployment 3\n"));
  EXPECT_EQ(ended(waits), 3) << "while the lock is still held";
  ASSERT_TRUE(says(told_newer.read_end.get(), "Waiting for"));
  lock.reset();
  EXPECT_EQ(ended(replaces), 0);
  open();
  EXPECT_EQ(store().deployment(app("blog").id, 2)->state, DeploymentState::Superseded);
  EXPECT_EQ(repository().head_of(branch_), third);
  reconcile();
  check_invariants("after both");
}

TEST_F(Waiting, OneThatWaitsIsCancelledOnRequestAndTouchesNothing) {
  deploy_first();
  const auto change = push_of(version(2, first_));
  // What the one that it waits for is checking out: no release needs it yet.
  const auto theirs = layout_.checkout(AppName::parse("blog"), 7).tree();
  make_directory(theirs);
  const auto before = everything();
  auto lock = FileLock::try_acquire(layout_.app_lock(AppName::parse("blog")));
  lock->announce("the deployment of blog by bob");
  const auto told = make_pipe();
  close();
  const auto child = deploy_beside(change, told, *lock);
  ASSERT_TRUE(says(told.read_end.get(), "Waiting for"));
  open();
  const auto group = store().unfinished_deployments().front().group;
  EXPECT_TRUE(request_cancel(platform(), group));
  EXPECT_EQ(ended(child), 3);
  EXPECT_EQ(newest().state, DeploymentState::Cancelled);
  EXPECT_TRUE(is_directory(theirs));
  EXPECT_EQ(everything(), before);
  EXPECT_FALSE(request_cancel(platform(), group)) << "its process is gone";
}

TEST_F(Waiting, OneWhoseAppIsDestroyedMeanwhileSaysWhy) {
  deploy_first();
  const auto change = push_of(version(2, first_));
  const auto id = app("blog").id;
  auto lock = FileLock::try_acquire(layout_.app_lock(AppName::parse("blog")));
  lock->announce("the destruction of blog");
  const auto told = make_pipe();
  close();
  const auto child = deploy_beside(change, told, *lock);
  ASSERT_TRUE(says(told.read_end.get(), "Waiting for"));
  open();
  const auto group = store().unfinished_deployments().front().group;
  for (const auto& row : store().instances(id)) store().remove_instance(row.name);
  store().remove_app(id);
  lock.reset();
  EXPECT_TRUE(says(told.read_end.get(), " !     blog was destroyed in the meantime\n"));
  EXPECT_EQ(ended(child), 3);
  EXPECT_FALSE(is_plain_file(layout_.group_lock(group)));
}

TEST_F(Waiting, ABuildTakesTheSlotThatIsFreeFirst) {
  here_->settings.builds = settings_.builds = 2;
  const auto change =
      push_of(commit({{"Procfile", "web: serve\n"}, {"pushrod.toml", "[build]\ncommand = \"true\"\n"}}));
  std::vector<FileLock> slots;
  for (unsigned slot = 0; slot < 2; ++slot) {
    slots.push_back(FileLock::acquire(layout_.build_slot(slot)));
    slots.back().announce("the build of docs");
  }
  for (unsigned freed = 0; freed < 2; ++freed) {
    const auto told = make_pipe();
    close();
    const auto child = in_child([&] {
      for (const auto& slot : slots) ::close(slot.fd());
      const View view(layout_, settings_);
      Journal journal(told.write_end.get());
      _exit(deploy(view.platform, change, journal, -1).live ? 0 : 3);
    });
    EXPECT_TRUE(says(told.read_end.get(), "waiting for a build slot: 2 builds at a time"));
    slots.erase(slots.begin());
    EXPECT_EQ(ended(child), 0) << "with slot " << freed;
    open();
    slots.push_back(FileLock::acquire(layout_.build_slot(freed)));
    reconcile();
  }
}

}  // namespace
}  // namespace pushrod
