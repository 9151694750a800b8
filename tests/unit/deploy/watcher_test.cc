// Watched releases: what the watch finds, and the fallback that follows, also when it is killed.
#include "deploy/watcher.hh"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/condition.hh"
#include "deploy/fallback.hh"
#include "world.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Watched : public DeployTest {
 protected:
  Watched() {
    settings_.watch = kPatience;
    open();
    add_app("blog");
    first_ = version(1);
    EXPECT_TRUE(run(push_of(*first_)).outcome.live);
    reconcile();
    second_ = version(2, first_);
    EXPECT_TRUE(run(push_of(*second_)).outcome.live);
  }
  void dies(const std::string& name, unsigned times = 1, ExitStatus exit = ExitStatus::exited(1)) {
    engine().deaths[instance(name)] = {times, exit};
  }
  std::int64_t group() { return store().watch(app("blog").id).value().group; }
  Outcome fall_back_now() {
    const auto change = fallback_change(platform(), group());
    return change ? run(*change).outcome : Outcome{};
  }
  std::string state_of(const std::string& name) {
    for (const auto& row : store().instances()) {
      if (row.name == instance(name)) return std::string(to_string(row.state));
    }
    return "gone";
  }
  std::optional<CommitId> first_, second_;
};

TEST_F(Watched, KeepsTheOldWebInstanceUpWithoutRequests) {
  EXPECT_EQ(state_of("blog.1.web.1"), "standby");
  EXPECT_EQ(engine().routes(), "blog.example.org: blog.2.web.1\n");
  reconcile();
  EXPECT_EQ(state_of("blog.1.web.1"), "standby");
  EXPECT_EQ(state_of("blog.1.worker.1"), "gone");
  EXPECT_EQ(engine().states().at(instance("blog.1.web.1")), "up");
}

TEST_F(Watched, RoutesToTheOldInstanceAsSoonAsTheNewOneHasEnded) {
  Watcher watcher(platform());
  watcher.pass();
  EXPECT_THAT(watcher.failing(), IsEmpty());
  dies("blog.2.web.1");
  watcher.pass();
  EXPECT_THAT(watcher.failing(), SizeIs(1));
  EXPECT_EQ(engine().routes(), "blog.example.org: blog.1.web.1\n");
  EXPECT_EQ(store().watch(app("blog").id)->failure, "blog.2.web.1 ended with exit code 1");
}

TEST_F(Watched, FallsBackToTheWholeOldRelease) {
  dies("blog.2.web.1");
  Watcher(platform()).pass();
  engine().told.clear();
  EXPECT_TRUE(fall_back_now().live);
  EXPECT_EQ(repository().head_of(branch_), first_);
  EXPECT_EQ(app("blog").live, 3U);
  EXPECT_EQ(state_of("blog.1.web.1"), "serving") << "it goes on: nobody had to start it";
  EXPECT_EQ(state_of("blog.3.worker.1"), "serving");
  EXPECT_THAT(store().watches(), IsEmpty());
  reconcile();
  EXPECT_EQ(state_of("blog.2.web.1"), "gone");
  EXPECT_EQ(engine().routes(), "blog.example.org: blog.1.web.1\n");
  const auto fallback = store().deployment(app("blog").id, 3).value();
  EXPECT_EQ(fallback.kind, DeploymentKind::Fallback);
  EXPECT_THAT(fallback.detail, HasSubstr("release 2 to 1: blog.2.web.1 ended with exit code 1"));
  EXPECT_THAT(read_file(layout_.deployment_log(AppName::parse("blog"), 3)).value(),
              HasSubstr("the last words of blog.2.web.1"));
}

TEST_F(Watched, TheLastWordsOfTheFailingInstanceAreRedacted) {
  const auto id = app("blog").id;
  const auto name = SettingName::parse("PASSWORD");
  store().set_settings(id, {{name, {store().vault().seal(id, name, Secret("last words")), true}}});
  store().end_watch(group());
  ASSERT_TRUE(run(push_of(version(3, second_))).outcome.live);
  dies("blog.3.web.1");
  Watcher(platform()).pass();
  EXPECT_TRUE(fall_back_now().live);
  const auto log = read_file(layout_.deployment_log(AppName::parse("blog"), 4)).value();
  EXPECT_THAT(log, HasSubstr("the [redacted] of blog.3.web.1"));
}

TEST_F(Watched, IsWhatTheNextPusherReads) {
  dies("blog.2.web.1");
  Watcher(platform()).pass();
  ASSERT_TRUE(fall_back_now().live);
  EXPECT_THAT(run(push_of(version(3, second_))).text, HasSubstr("blog fell back from release 2 to 1"));
  EXPECT_EQ(fallback_note(platform(), app("blog")), "");
}

TEST_F(Watched, StartsWhatIsNotOnStandbyAnyMore) {
  store().release_standby(group());
  reconcile();
  EXPECT_EQ(state_of("blog.1.web.1"), "gone");
  dies("blog.2.worker.1");
  Watcher(platform()).pass();
  ASSERT_TRUE(fall_back_now().live);
  EXPECT_EQ(state_of("blog.3.web.1"), "serving");
}

TEST_F(Watched, EndsWhenTheNextDeploymentBegins) {
  ASSERT_TRUE(run(push_of(version(3, second_))).outcome.live);
  EXPECT_EQ(state_of("blog.1.web.1"), "draining");
  EXPECT_EQ(state_of("blog.2.web.1"), "standby");
  EXPECT_EQ(store().watch(app("blog").id)->previous, 2U);
}

TEST_F(Watched, EndsWithItsTime) {
  store().end_watch(group());
  settings_.watch = Milliseconds{1};
  open();
  ASSERT_TRUE(run(push_of(version(3, second_))).outcome.live);
  Watcher watcher(platform());
  for (const Deadline deadline(kPatience); !store().watches().empty() && !deadline.passed();) watcher.pass();
  EXPECT_THAT(store().watches(), IsEmpty());
  reconcile();
  check_invariants("after the watch");
}

TEST_F(Watched, IsOverWhenItsFallbackFails) {
  dies("blog.2.web.1");
  Watcher(platform()).pass();
  engine().unhealthy = "worker";
  EXPECT_FALSE(fall_back_now().live);
  EXPECT_THAT(store().watches(), IsEmpty()) << "otherwise it would be tried for ever";
  EXPECT_EQ(app("blog").live, 2U);
  EXPECT_EQ(repository().head_of(branch_), second_);
  EXPECT_EQ(engine().routes(), "blog.example.org: blog.2.web.1\n");
}

TEST_F(Watched, FallsBackOnceAtATime) {
  dies("blog.2.web.1");
  Watcher(platform()).pass();
  const auto change = fallback_change(platform(), group());
  ASSERT_TRUE(change.has_value());
  Journal journal(-1);
  Observer observer;
  observer.begun = [&](const auto&) {
    EXPECT_FALSE(fallback_change(platform(), group()).has_value());
    EXPECT_THROW(deploy(platform(), *change, journal, -1), UserError);
  };
  EXPECT_TRUE(deploy(platform(), *change, journal, -1, observer).live);
  EXPECT_EQ(store().deployments(app("blog").id, 10).size(), 3U);
}

TEST_F(Watched, DoesNotFallBackTwice) {
  dies("blog.2.web.1");
  Watcher(platform()).pass();
  const auto change = fallback_change(platform(), group());
  ASSERT_TRUE(change && fall_back_now().live);
  EXPECT_FALSE(run(*change).outcome.live);
  EXPECT_EQ(app("blog").live, 3U);
}

TEST_F(Watched, FallsBackAfterAKillAtAnyCall) {
  for (unsigned call = 1;; ++call) {
    SCOPED_TRACE(call);
    dies("blog." + std::to_string(*app("blog").live) + ".web.1");
    const auto live = *app("blog").live;
    Watcher(platform()).pass();
    const auto head = repository().head_of(branch_);
    close();
    const auto code = ended(in_child([&] {
      open();
      engine().fault = FakeEngine::Fault::Die;
      engine().fault_at = call;
      fall_back_now();
    }));
    open();
    reconcile();
    if (!store().watches().empty()) {  // undone: due again
      EXPECT_EQ(app("blog").live, live);
      EXPECT_EQ(repository().head_of(branch_), head);
      EXPECT_TRUE(fall_back_now().live);
      reconcile();
    }
    EXPECT_NE(repository().head_of(branch_), head);
    EXPECT_THAT(store().watches(), IsEmpty());
    if (code == 0) break;
    ASSERT_LT(call, 100U);
    // Watched again, for the next call.
    ASSERT_TRUE(run(push_of(version(static_cast<int>(call) + 2, repository().head_of(branch_)))).outcome.live);
  }
}

TEST_F(Watched, SaysHowAnAppIsAsARequestFindsIt) {
  const auto now = [&] { return condition_of(platform(), app("blog")); };
  EXPECT_TRUE(now().works());
  EXPECT_EQ(now().state, "running");
  engine().condition[instance("blog.2.web.1")] = Condition::Crashing;
  EXPECT_FALSE(now().works());
  EXPECT_EQ(now().state, "crashing");
  EXPECT_EQ(now().traffic, "unavailable");
  EXPECT_THAT(problems_of(now()), SizeIs(1));
  // While it falls back, requests are answered by what is on standby.
  dies("blog.2.web.1");
  Watcher(platform()).pass();
  EXPECT_EQ(now().traffic, "served");
  engine().condition[instance("blog.2.web.1")] = Condition::Running;
  engine().condition[instance("blog.2.worker.1")] = Condition::Down;
  EXPECT_EQ(now().state, "down");
  EXPECT_FALSE(now().works());
}

}  // namespace
}  // namespace pushrod
