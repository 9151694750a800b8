// A deployment that breaks or is killed at any of its calls to the engine, and around the commit point: whoever comes
// next, the reconciler or another deployment, makes of it the old or the new release, whole (I6).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "deploy/deploy.hh"
#include "world.hh"

namespace pushrod {
namespace {

using Fault = FakeEngine::Fault;

struct Case {
  std::string name;
  DeploymentKind kind = DeploymentKind::Push;
  bool deployed_before = true;
  std::vector<std::string> apps{"blog"};
  bool overlap = true;
  unsigned dies_after = 2;  // the call to the engine after which it is most at sixes and sevens
};

std::ostream& operator<<(std::ostream& out, const Case& value) { return out << value.name; }

class Crash : public DeployTest, public testing::WithParamInterface<Case> {
 protected:
  Crash() {
    for (const auto& name : GetParam().apps) add_app(name);
  }
  CommitId next_version() {
    const auto manifest = fmt::format("[processes]\nweb = \"serve\"\nqueue = {{ command = \"work\", overlap = {} }}\n",
                                      GetParam().overlap);
    return commit({{"pushrod.toml", manifest}, {"sub/pushrod.toml", manifest}, {"version", std::to_string(++version_)}},
                  repository().head_of(branch_));
  }
  void bring_to_the_start() {
    const bool deployed = repository().head_of(branch_).has_value();
    if (deployed == GetParam().deployed_before) return;
    ASSERT_TRUE(run(deployed ? removal() : push_of(next_version())).outcome.live);
    settle_down();
  }
  Change next_change() {
    switch (GetParam().kind) {
      case DeploymentKind::Push:
        return push_of(next_version());
      case DeploymentKind::Remove:
        return removal();
      case DeploymentKind::Redeploy:
        return redeploy();
      case DeploymentKind::Restart:
        return restart();
      case DeploymentKind::Scale:
        return scale();
      case DeploymentKind::Config:
        return settings();
      case DeploymentKind::Rollback:
        return rollback();
      case DeploymentKind::Stop:
      case DeploymentKind::Start:
        return change(app("blog").stopped ? DeploymentKind::Start : DeploymentKind::Stop, head());
      case DeploymentKind::Set:
        return move();
      case DeploymentKind::Fallback:  // watcher_test.cc
      case DeploymentKind::Rename:    // tests/e2e/test_rename.py
      case DeploymentKind::Restore:   // tests/e2e/test_backups.py
        break;
    }
    throw Error("no such kind");
  }
  std::optional<CommitId> head() { return repository().head_of(branch_); }
  // web from 1 to 2 and back, queue the other way round.
  Change scale() {
    auto asked = change(DeploymentKind::Scale, head());
    const auto web = ProcessType::parse("web"), queue = ProcessType::parse("queue");
    const auto counts = store().counts(app("blog").id);
    const bool many = counts.contains(web) && counts.at(web) == 2;
    asked.counts = {{web, many ? 1 : 2}, {queue, many ? 2 : 1}};
    return asked;
  }
  Change settings() {
    auto asked = change(DeploymentKind::Config, head());
    const auto name = SettingName::parse("TEXT");
    asked.settings.emplace(name, AppSetting{store().vault().seal(app("blog").id, name, Secret("a value")), false});
    return asked;
  }
  // To a sub-directory and back.
  Change move() {
    auto asked = change(DeploymentKind::Set, head());
    asked.source = app("blog").source();
    asked.source->path = asked.source->path.empty() ? "sub" : "";
    return asked;
  }
  // To the newest release of another commit, for all apps.
  Change rollback() {
    if (!other_release(app("blog"))) {
      EXPECT_TRUE(run(push_of(next_version())).outcome.live);
      settle_down();
    }
    const auto target = other_release(app("blog")).value();
    auto asked = change(DeploymentKind::Rollback, target.commit);
    for (const auto& each : asked.apps) asked.releases.emplace(each.id, other_release(each).value().number);
    return asked;
  }
  std::optional<Release> other_release(const App& of) {
    for (auto& release : store().releases(of.id)) {
      if (release.commit != *head()) return release;
    }
    return std::nullopt;
  }
  // Deploys in a process of its own whose engine has this fault at its n-th call. False when it made fewer calls.
  bool deploy_with(Fault fault, unsigned at, const Change& change) {
    close();
    const auto child = in_child([&] {
      View view(layout_, settings_);
      view.engine.fault = fault;
      view.engine.fault_at = at;
      Journal journal(-1);
      try {
        deploy(view.platform, change, journal, -1);
      } catch (const Error&) {
        if (view.engine.calls < at) throw;  // the engine's own error may come through
      }
      _exit(view.engine.calls < at ? 10 : 0);
    });
    const auto end = ended(child);
    open();
    EXPECT_NE(end, 1) << "it failed by itself";
    const bool dies = fault == Fault::Die || fault == Fault::DieAfter;
    EXPECT_EQ(end, end == 10 ? 10 : dies ? -SIGKILL : 0);
    return end != 10 && end != 1;
  }
  int version_ = 0;
};

TEST_P(Crash, TheReconcilerMakesItWhole) {
  for (const auto fault : {Fault::Throw, Fault::Die, Fault::DieAfter}) {
    for (unsigned at = 1; at < 30; ++at) {
      bring_to_the_start();
      const auto change = next_change();
      const auto before = everything();
      const bool reached = deploy_with(fault, at, change);
      settle_down();
      check_invariants(fmt::format("fault {} at call {}", static_cast<int>(fault), at));
      // Until the switch it is as it was before, and nothing else.
      const auto last = store().deployments(store().apps().front().id, 1).front();
      if (last.state == DeploymentState::Failed) {
        EXPECT_EQ(everything(), before) << "fault at call " << at;
      } else {
        EXPECT_EQ(last.state, DeploymentState::Live);
      }
      if (!reached || HasFailure()) break;
    }
  }
}

TEST_P(Crash, TheNextDeploymentMakesItWhole) {
  for (unsigned at = 1; at < 30; ++at) {
    bring_to_the_start();
    const bool reached = deploy_with(Fault::DieAfter, at, next_change());
    const auto told = run(push_of(next_version()));
    EXPECT_TRUE(told.outcome.live) << told.text;
    settle_down();
    check_invariants(fmt::format("killed after call {}", at));
    if (!reached || HasFailure()) break;
  }
}

TEST_P(Crash, AReconcilerThatIsKilledAsWellIsMadeGoodByTheNext) {
  unsigned kills = 0;
  for (unsigned at = 1; at < 40; ++at) {
    bring_to_the_start();
    deploy_with(Fault::DieAfter, GetParam().dies_after, next_change());
    close();
    const auto end = ended(in_child([&] {
      View view(layout_, settings_);
      view.engine.fault = Fault::Die;
      view.engine.fault_at = at;
      Reconciler reconciler(view.platform);
      while (reconciler.pass() < Milliseconds{1000}) {
      }
    }));
    open();
    settle_down();
    check_invariants(fmt::format("reconciler killed at call {}", at));
    if (end == 0 || HasFailure()) break;
    ++kills;
  }
  EXPECT_GT(kills, 3U);
}

// git tells its reference-transaction hook when a ref is about to move, and when it has moved.
TEST_P(Crash, AroundTheCommitPointTheRefDecides) {
  for (const std::string moment : {"committed", "prepared"}) {
    if (HasFailure()) break;
    bring_to_the_start();
    const auto change = next_change();
    const auto before = everything();
    const auto hook = layout_.hooks() / "reference-transaction";
    write_file(hook,
               fmt::format("#!/bin/sh\n[ \"$1\" = {} ] || exit 0\nread -r _ _ _ deployer _ < /proc/$PPID/stat\n"
                           "kill -9 $deployer; exit 1\n",
                           moment),
               0700, false);
    close();
    const auto end = ended(in_child([&] {
      const View view(layout_, settings_);
      Journal journal(-1);
      deploy(view.platform, change, journal, -1);
    }));
    remove_file(hook);
    open();
    const bool moves_ref = change.kind == DeploymentKind::Push || change.kind == DeploymentKind::Remove ||
                           change.kind == DeploymentKind::Rollback;
    ASSERT_EQ(end, moves_ref ? -SIGKILL : 0);
    const bool moved = repository().head_of(branch_) != change.previous;
    EXPECT_EQ(moved, moves_ref && moment == "committed");
    settle_down();
    check_invariants("killed when the ref is " + moment);
    if (moves_ref && !moved) {
      EXPECT_EQ(everything(), before);
    }
    const auto last = store().deployments(store().apps().front().id, 1).front();
    EXPECT_EQ(last.state, moves_ref && !moved ? DeploymentState::Failed : DeploymentState::Live);
    EXPECT_EQ(repository().head_of(branch_) != change.previous, moved);
    fs::remove(layout_.repo(repo_) / "refs/heads/main.lock");
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Crash,
    testing::Values(Case{.name = "FirstPush", .deployed_before = false}, Case{.name = "Push"},
                    Case{.name = "Restart", .kind = DeploymentKind::Restart},
                    Case{.name = "Scale", .kind = DeploymentKind::Scale},
                    Case{.name = "Set", .kind = DeploymentKind::Set},
                    Case{.name = "Config", .kind = DeploymentKind::Config},
                    Case{.name = "StopAndStart", .kind = DeploymentKind::Stop, .dies_after = 1},
                    Case{.name = "Rollback", .kind = DeploymentKind::Rollback},
                    Case{.name = "RollbackOfTwo", .kind = DeploymentKind::Rollback, .apps = {"blog", "admin"}},
                    Case{.name = "Remove", .kind = DeploymentKind::Remove, .dies_after = 1},
                    Case{.name = "GroupOfTwo", .apps = {"blog", "admin"}},
                    Case{.name = "WithoutOverlap", .overlap = false, .dies_after = 5}),
    [](const testing::TestParamInfo<Case>& of) { return of.param.name; });

// --- what a killed process leaves, state by state

class Settle : public DeployTest {
 protected:
  Settle() {
    add_app("blog");
    first_ = version(1);
    run(push_of(*first_));
    settle_down();
    before_ = everything();
    second_ = version(2, first_);
  }
  // As far as this state, without a process.
  std::int64_t begin(DeploymentState as_far_as, DeploymentKind kind = DeploymentKind::Push) {
    const auto app = this->app("blog");
    const auto commit = kind == DeploymentKind::Push ? second_ : first_;
    const auto begun = store().begin_deployments({{app.id, kind, commit, first_, "ann"}}).front();
    if (as_far_as == DeploymentState::Waiting) return begun.group;
    store().advance(begun.group, DeploymentState::Running);
    Release release = store().release(app.id, *app.live).value();
    release.number = begun.number;
    if (kind == DeploymentKind::Push) {
      release.checkout = begun.number;
      release.commit = *commit;
      make_directory(layout_.checkout(app.name, begun.number).tree());
    }
    store().add_release(release);
    const auto rows = store().add_instances(release, {}, 21000, 21999, always_free);
    engine().start(plan_instances(platform(), app, rows));
    if (as_far_as == DeploymentState::Running) return begun.group;
    store().advance(begun.group, DeploymentState::Ready);
    if (as_far_as == DeploymentState::Ready) return begun.group;
    store().commit_group(begun.group);
    return begun.group;
  }
  void settle(std::int64_t group) {
    pushrod::settle(platform(), group, {DeploymentState::Failed, "it was killed", "push again"});
  }
  DeploymentState state(std::int64_t group) { return store().group(group).front().state; }
  void expect_undone(std::int64_t group) {
    EXPECT_EQ(state(group), DeploymentState::Failed);
    EXPECT_EQ(store().group(group).front().error, "it was killed");
    EXPECT_EQ(everything(), before_);
    check_invariants("undone");
  }
  void expect_live(std::int64_t group) {
    EXPECT_EQ(state(group), DeploymentState::Live);
    settle_down();
    check_invariants("finished");
    EXPECT_EQ(app("blog").live, 2U);
  }
  std::optional<CommitId> first_, second_;
  std::string before_;
};

TEST_F(Settle, WaitingIsUndone) {
  const auto group = begin(DeploymentState::Waiting);
  settle(group);
  expect_undone(group);
}

TEST_F(Settle, RunningIsUndone) {
  const auto group = begin(DeploymentState::Running);
  settle(group);
  expect_undone(group);
}

TEST_F(Settle, ReadyIsUndoneWhileTheRefNamesTheOldCommit) {
  const auto group = begin(DeploymentState::Ready);
  settle(group);
  expect_undone(group);
}

TEST_F(Settle, ReadyIsFinishedWhenTheRefNamesTheNewCommit) {
  const auto group = begin(DeploymentState::Ready);
  repository().move_branch(branch_, *second_, first_);
  settle(group);
  expect_live(group);
}

// The ref does not move, so that it names the commit anyway: the database decides.
TEST_F(Settle, AReadyRestartIsUndone) {
  const auto group = begin(DeploymentState::Ready, DeploymentKind::Restart);
  settle(group);
  expect_undone(group);
}

TEST_F(Settle, ACommittedRestartIsFinished) {
  const auto group = begin(DeploymentState::Committed, DeploymentKind::Restart);
  settle(group);
  expect_live(group);
}

TEST_F(Settle, CommittedIsFinished) {
  const auto group = begin(DeploymentState::Committed);
  repository().move_branch(branch_, *second_, first_);
  settle(group);
  expect_live(group);
}

TEST_F(Settle, WhatIsFinishedIsLeftAlone) {
  const auto group = begin(DeploymentState::Committed);
  repository().move_branch(branch_, *second_, first_);
  settle(group);
  settle(group);
  expect_live(group);
  settle(9999);  // nobody's
}

}  // namespace
}  // namespace pushrod
