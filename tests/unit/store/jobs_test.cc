// Jobs and the clocks of cron jobs in the database.
#include <gmock/gmock.h>

#include "fixture.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;

class JobsTest : public StoreTest {
 protected:
  JobsTest() : app_(add_app("blog")) { deploy({app_}); }
  Job add(const std::string& name = "run") {
    return store().add_job(app_.id, name == "run" ? JobKind::Run : JobKind::Cron, name, {"ls", "a b"}, "ann");
  }
  App app_;
};

TEST_F(JobsTest, AJobIsOfTheLiveRelease) {
  const auto first = add();
  EXPECT_EQ(first.instance().str(), "blog.1.run.1");
  EXPECT_EQ(store().job_command(first), (std::vector<std::string>{"ls", "a b"}));
  EXPECT_EQ(first.author, "ann");
  EXPECT_FALSE(first.ended);
  deploy({app_});
  EXPECT_EQ(add("nightly").instance().str(), "blog.2.nightly.2");
}

TEST_F(JobsTest, TheArgumentsOfACommandAreInNoFileAndForgottenAtItsEnd) {
  const auto in_files = [&] {
    std::string found;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      if (read_file(entry.path()).value().find("kieselstein") != std::string::npos) found += entry.path().filename();
    }
    return found;
  };
  const std::vector<std::string> command{"migrate", "--password", "kieselstein"};
  const auto job = store().add_job(app_.id, JobKind::Run, "run", command, "ann");
  EXPECT_EQ(in_files(), "");
  EXPECT_EQ(store().job_command(job), command);
  store().end_job(job.id, 0, "exit code 0");
  EXPECT_EQ(store().job_command(job), std::vector<std::string>{});
  store().prune_jobs(app_.id, 0);
  EXPECT_EQ(in_files(), "");
  EXPECT_TRUE(store().job_command(job).empty());
}

TEST_F(JobsTest, WithoutTheKeyTheyAreListedButNotOpened) {
  const auto job = add();
  close();
  write_file(directory_ / "settings.key", std::string(32, 'x'), 0600, true);
  EXPECT_EQ(store().running_jobs().size(), 1U);
  EXPECT_THROW(store().job_command(job), UserError);
}

TEST_F(JobsTest, WhatIsNotDeployedRunsNone) {
  const auto other = add_app("shop", "shop");
  EXPECT_THROW(store().add_job(other.id, JobKind::Run, "run", {"ls"}, "ann"), UserError);
  EXPECT_THROW(store().add_job(4711, JobKind::Run, "run", {"ls"}, "ann"), UserError);
}

TEST_F(JobsTest, AJobEndsOnce) {
  const auto job = add();
  EXPECT_EQ(store().running_jobs().size(), 1u);
  store().end_job(job.id, 3, "exit code 3");
  store().end_job(job.id, {}, "lost");
  const auto ended = store().job(job.id);
  EXPECT_EQ(ended->exit_code, 3);
  EXPECT_EQ(ended->outcome, "exit code 3");
  EXPECT_TRUE(ended->ended);
  EXPECT_TRUE(store().running_jobs().empty());
}

TEST_F(JobsTest, OldOnesAreForgottenButNotThoseThatRunAndNoNumberComesTwice) {
  const auto running = add();
  for (int count = 0; count < 5; ++count) store().end_job(add().id, 0, "exit code 0");
  store().end_job(add("nightly").id, 0, "exit code 0");
  const auto pruned = store().prune_jobs(app_.id, 2);
  ASSERT_EQ(pruned.size(), 3u);
  EXPECT_EQ(pruned.front().number, 2u);
  EXPECT_TRUE(store().job(running.id));
  EXPECT_EQ(store().jobs(app_.id, "run", 10).size(), 3u);
  EXPECT_EQ(store().jobs(app_.id, JobKind::Cron, 10).size(), 1u);
  EXPECT_EQ(store().prune_jobs(app_.id, 0).size(), 3u);
  EXPECT_GT(add().number, 1u);
}

TEST_F(JobsTest, AreForgottenByKindAndName) {
  for (const auto kind : {JobKind::Run, JobKind::Cron}) {
    store().end_job(store().add_job(app_.id, kind, "nightly", {"ls"}, "ann").id, 0, "exit code 0");
  }
  EXPECT_TRUE(store().prune_jobs(app_.id, 1).empty());
}

TEST_F(JobsTest, TheyAreRemovedWithTheirApp) {
  add();
  store().set_cron_state(app_.id, {"nightly", "@daily UTC", now()});
  store().remove_app(app_.id);
  EXPECT_TRUE(store().running_jobs().empty());
  EXPECT_TRUE(store().cron_states(app_.id).empty());
  store().set_cron_state(app_.id, {"nightly", "@daily UTC", now()});
  EXPECT_TRUE(store().cron_states(app_.id).empty());
}

TEST_F(JobsTest, AClockIsRememberedAndForgotten) {
  const auto at = from_epoch_milliseconds(1'700'000'000'000);
  store().set_cron_state(app_.id, {"nightly", "@daily UTC", at});
  store().set_cron_state(app_.id, {"nightly", "@hourly UTC", at + std::chrono::hours{1}});
  const auto states = store().cron_states(app_.id);
  ASSERT_EQ(states.size(), 1u);
  EXPECT_EQ(states.front().schedule, "@hourly UTC");
  EXPECT_EQ(states.front().seen, at + std::chrono::hours{1});
  store().remove_cron_state(app_.id, "nightly");
  EXPECT_TRUE(store().cron_states(app_.id).empty());
}

}  // namespace
}  // namespace pushrod
