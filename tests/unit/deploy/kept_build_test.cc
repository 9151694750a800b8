// A finished build outlives a deployment that fails later, and the next push of the same files uses it.
#include "deploy/kept_build.hh"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <limits>

#include "deploy/make_room.hh"
#include "world.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kUses = "-----> Using the build of deployment ";

class KeptBuild : public DeployTest {
 protected:
  KeptBuild() { add_app("blog"); }
  // Every build appends a line to /cache/builds and leaves the number of them in the tree.
  CommitId built_version(int number, const std::string& more = {}) const {
    return commit({{"Procfile", "web: serve\n"},
                   {"version", std::to_string(number)},
                   {"pushrod.toml",
                    "[build]\ncommand = \"echo built >> /cache/builds; wc -l < /cache/builds > built\"\n" + more}},
                  repository().head_of(branch_));
  }
  unsigned builds(const std::string& app = "blog") {
    const auto text = read_file(layout_.build_cache(AppName::parse(app)) / "builds").value_or("");
    return static_cast<unsigned>(std::count(text.begin(), text.end(), '\n'));
  }
  Told fail_to_start(const CommitId& commit) {
    engine().unhealthy = "web";
    auto told = run(push_of(commit));
    engine().unhealthy.clear();
    EXPECT_FALSE(told.outcome.live);
    return told;
  }
  fs::path kept(const std::string& app = "blog") const { return kept_build(layout_, AppName::parse(app)); }
  fs::path live_tree() { return layout_.checkout(AppName::parse("blog"), app("blog").live.value()).tree(); }
};

TEST_F(KeptBuild, TheNextPushOfTheSameCommitUsesIt) {
  const auto first = built_version(1);
  const auto failed = fail_to_start(first);
  EXPECT_THAT(failed.text, HasSubstr("The build of blog is kept: the next push of the same files uses it.\n"));
  EXPECT_TRUE(is_directory(kept() / "tree"));
  const auto told = run(push_of(first));
  EXPECT_TRUE(told.outcome.live);
  EXPECT_THAT(told.text, HasSubstr(std::string(kUses) + "1 (echo built"));
  EXPECT_THAT(told.text, Not(HasSubstr("-----> Building")));
  EXPECT_EQ(builds(), 1U);
  EXPECT_EQ(read_file(live_tree() / "built"), "1\n");
  EXPECT_FALSE(fs::exists(kept()));
  settle_down();
  check_invariants("with the kept build");
}

TEST_F(KeptBuild, AnotherCommitOfTheSameFilesUsesItAgainAndAgain) {
  fail_to_start(built_version(1));
  const auto again = commit({{"Procfile", "web: serve\n"}}, {}, "between");
  EXPECT_THAT(fail_to_start(again).text, Not(HasSubstr(kUses)));
  const auto same = built_version(1);
  EXPECT_THAT(fail_to_start(same).text, HasSubstr(std::string(kUses) + "1 "));
  EXPECT_THAT(run(push_of(same)).text, HasSubstr(std::string(kUses) + "1 "));
  EXPECT_EQ(builds(), 1U);
}

TEST_F(KeptBuild, OtherFilesAreBuiltAndTakeItsPlace) {
  fail_to_start(built_version(1));
  EXPECT_THAT(fail_to_start(built_version(2)).text, Not(HasSubstr(kUses)));
  EXPECT_THAT(run(push_of(built_version(1))).text, Not(HasSubstr(kUses)));
  EXPECT_EQ(builds(), 3U);
  EXPECT_EQ(read_file(kept() / "tree" / "version"), "2");
}

TEST_F(KeptBuild, OtherSettingsOfAppOrServerBuildAgain) {
  const auto first = built_version(1);
  const auto name = SettingName::parse("COLOUR");
  const auto set = [&](const std::string& value) {
    store().set_settings(app("blog").id,
                         {{name, {.sealed = store().vault().seal(app("blog").id, name, Secret(value))}}});
  };
  fail_to_start(first);
  set("red");
  EXPECT_THAT(fail_to_start(first).text, Not(HasSubstr(kUses)));
  set("blue");
  EXPECT_THAT(fail_to_start(first).text, Not(HasSubstr(kUses)));
  EXPECT_THAT(fail_to_start(first).text, HasSubstr(kUses));
  here_->settings.build_environment["MIRROR"] = "http://mirror";
  EXPECT_THAT(fail_to_start(first).text, Not(HasSubstr(kUses)));
}

TEST_F(KeptBuild, ABuildThatFailsKeepsNothing) {
  const auto bad = built_version(1, "[release]\ncommand = \"false\"\n");
  const auto broken = commit({{"Procfile", "web: serve\n"}, {"pushrod.toml", "[build]\ncommand = \"false\"\n"}});
  EXPECT_THAT(run(push_of(broken)).text, Not(HasSubstr("is kept")));
  EXPECT_FALSE(fs::exists(kept()));
  // A release command comes after the build, and runs again.
  EXPECT_THAT(run(push_of(bad)).text, HasSubstr("is kept"));
  const auto told = run(push_of(bad));
  EXPECT_THAT(told.text, HasSubstr(kUses));
  EXPECT_THAT(told.text, HasSubstr("-----> Running the release command\n"));
}

TEST_F(KeptBuild, WithNothingToBuildNothingIsKept) {
  EXPECT_THAT(fail_to_start(version(1)).text, Not(HasSubstr("is kept")));
  EXPECT_FALSE(fs::exists(kept()));
}

TEST_F(KeptBuild, ACancelledStartKeepsIt) {
  const auto first = built_version(1);
  const auto pipe = make_pipe();
  engine().on_await = [&] { write_all(pipe.write_end.get(), "x", "cancelling"); };
  EXPECT_FALSE(run(push_of(first), pipe.read_end.get()).outcome.live);
  engine().on_await = nullptr;
  EXPECT_THAT(run(push_of(first)).text, HasSubstr(kUses));
}

TEST_F(KeptBuild, ARedeployAndAPushWithRebuildBuildAgain) {
  const auto first = built_version(1);
  ASSERT_TRUE(run(push_of(first)).outcome.live);
  engine().unhealthy = "web";
  EXPECT_THAT(run(redeploy()).text, HasSubstr("is kept"));
  engine().unhealthy.clear();
  EXPECT_THAT(run(redeploy()).text, Not(HasSubstr(kUses)));
  EXPECT_EQ(builds(), 3U);
  auto rebuild = push_of(built_version(2));
  fail_to_start(*rebuild.commit);
  rebuild.rebuild = true;
  EXPECT_THAT(run(rebuild).text, Not(HasSubstr(kUses)));
  EXPECT_EQ(builds(), 5U);
}

TEST_F(KeptBuild, AFailedRestartOfALiveBuildKeepsNothing) {
  ASSERT_TRUE(run(push_of(built_version(1))).outcome.live);
  settle_down();
  engine().unhealthy = "web";
  EXPECT_THAT(run(restart()).text, Not(HasSubstr("is kept")));
  EXPECT_FALSE(fs::exists(kept()));
  EXPECT_TRUE(is_directory(live_tree()));
}

TEST_F(KeptBuild, EachAppOfAPushKeepsItsOwn) {
  add_app("admin");
  const auto first = built_version(1);
  EXPECT_THAT(fail_to_start(first).text, HasSubstr("The build of admin is kept"));
  EXPECT_TRUE(fs::exists(kept("admin")));
  EXPECT_TRUE(fs::exists(kept("blog")));
  const auto told = run(push_of(first));
  EXPECT_THAT(told.text, HasSubstr(std::string(kUses) + "1 for admin ("));
  EXPECT_THAT(told.text, HasSubstr(std::string(kUses) + "1 for blog ("));
}

TEST_F(KeptBuild, AfterAWeekOrABootItIsNotUsedAndTheTidierDropsIt) {
  const auto first = built_version(1);
  Tidier tidier(platform());
  fail_to_start(first);
  EXPECT_TRUE(tidier.pass());
  EXPECT_TRUE(fs::exists(kept())) << "it is fresh";
  const auto old = std::chrono::system_clock::to_time_t(now()) - 7 * 24 * 3600 - 60;
  const timespec times[2] = {{old, 0}, {old, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, (kept() / "built").c_str(), times, 0), 0);
  EXPECT_TRUE(tidier.pass()) << "nothing has been deployed since the pass before";
  EXPECT_FALSE(fs::exists(kept()));
  fail_to_start(first);
  auto mark = read_file(kept() / "built").value();
  mark[0] = mark[0] == '0' ? '1' : '0';
  write_file(kept() / "built", mark);
  write_file(kept() / "mounts", "");  // as a power cut leaves files that were not flushed
  EXPECT_THAT(mounts_of_kept_build(layout_, AppName::parse("blog")), IsEmpty());
  EXPECT_THAT(run(push_of(first)).text, Not(HasSubstr(kUses)));
  EXPECT_TRUE(tidier.pass());
  EXPECT_FALSE(fs::exists(kept()));
}

TEST_F(KeptBuild, ItIsRemovedWithItsAppAndWhenSpaceIsNeeded) {
  const auto first = built_version(1);
  fail_to_start(first);
  std::vector<std::string> what;
  for (const auto& each : make_room(platform(), std::numeric_limits<std::uint64_t>::max())) {
    what.push_back(each.what);
    EXPECT_GT(each.bytes, 0U);
  }
  EXPECT_THAT(what, testing::UnorderedElementsAre("build cache", "kept build"));
  EXPECT_FALSE(fs::exists(kept()));
  fail_to_start(first);
  destroy_app(platform(), app("blog"));
  EXPECT_FALSE(fs::exists(kept()));
}

TEST_F(KeptBuild, ACommitThatChangesAnotherDirectoryUsesIt) {
  branch_ = BranchName::parse("services");
  create_app(platform(), AppName::parse("api"), {repo_, branch_, "services/api"});
  const auto with_readme = [&](const std::string& text) {
    return commit({{"README", text},
                   {"services/api/Procfile", "web: serve\n"},
                   {"services/api/pushrod.toml", "[build]\ncommand = \"echo built >> /cache/builds\"\n"}});
  };
  EXPECT_THAT(fail_to_start(with_readme("one")).text, HasSubstr("The build of api is kept"));
  EXPECT_THAT(run(push_of(with_readme("two"))).text, HasSubstr(kUses));
  EXPECT_EQ(builds("api"), 1U);
}

// --- killed at any moment

// Killed at every call to the engine, and once more by the reconciler that settles it: whole or gone.
TEST_F(KeptBuild, AKillLeavesItWholeOrGone) {
  const auto first = built_version(1);
  bool was_used = false;
  for (unsigned at = 1; at < 40; ++at) {
    SCOPED_TRACE(at);
    close();
    const auto child = in_child([&] {
      View view(layout_, settings_);
      view.engine.unhealthy = "web";
      view.engine.fault = at % 2 != 0 ? FakeEngine::Fault::Die : FakeEngine::Fault::DieAfter;
      view.engine.fault_at = (at + 1) / 2;
      Journal journal(-1);
      Change change{DeploymentKind::Push, repo_, branch_, view.store.apps_of(repo_, branch_), first, {}, "ann"};
      deploy(view.platform, change, journal, -1);
      _exit(10);
    });
    const auto end = ended(child);
    open();
    settle_down();
    check_invariants("settled");
    if (fs::exists(kept())) {
      EXPECT_FALSE(has_stale_build(layout_, AppName::parse("blog")));
      EXPECT_EQ(read_file(kept() / "tree" / "built"), "1\n");
    }
    was_used = was_used || (builds() == 1 && at > 1);
    EXPECT_LE(builds(), 1U) << "a finished build is kept, whoever settles";
    if (end == 10) break;
  }
  EXPECT_TRUE(was_used);
  EXPECT_THAT(list_directory(layout_.checkouts(AppName::parse("blog"))), IsEmpty());
}

// What a kill leaves between the two renames that put it into place.
TEST_F(KeptBuild, ADeploymentWithoutItsCheckoutIsUndone) {
  const auto first = built_version(1);
  fail_to_start(first);
  const auto begun = store().begin_deployments({{app("blog").id, DeploymentKind::Push, first, {}, "ann"}}).front();
  store().advance(begun.group, DeploymentState::Running);
  settle(platform(), begun.group, {DeploymentState::Failed, "it was killed", ""});
  EXPECT_TRUE(fs::exists(kept())) << "it was not taken yet";
  EXPECT_THAT(run(push_of(first)).text, HasSubstr(kUses));
}

}  // namespace
}  // namespace pushrod
