// Jobs: what they are given, how they end, and what is left when their holder is killed.
#include "deploy/jobs.hh"

#include <gmock/gmock.h>
#include <signal.h>

#include "../eventually.hh"
#include "deploy/held_jobs.hh"
#include "world.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;

class Jobs : public DeployTest {
 protected:
  Jobs() {
    add_app("blog");
    run(push_of(version(1)));
  }
  JobRequest request(const std::string& script) {
    return {.app = app("blog").id, .command = {"/bin/sh", "-c", script}, .author = "ann"};
  }
  int run_script(const std::string& script, Milliseconds deadline = Milliseconds::max()) {
    Attachment attachment;
    attachment.kind = Attachment::Kind::Direct;
    attachment.in = attachment.out = attachment.err = -1;
    attachment.deadline = deadline;
    return run_job(platform(), request(script), attachment);
  }
  bool is_held() { return !store().running_jobs().empty() && lock_holder(layout_.job_lock(1)); }
  Job last() { return store().jobs(app("blog").id, "run", 1).front(); }
};

TEST_F(Jobs, HaveTheEnvironmentAndTheCodeOfTheLiveRelease) {
  EXPECT_EQ(run_script("test \"$PROCESS $INSTANCE $APP $RELEASE\" = 'run blog.1.run.1 blog 1'"), 0);
  ASSERT_EQ(engine().jobs.size(), 1u);
  EXPECT_EQ(engine().jobs.front().checkout.directory, layout_.checkout(AppName::parse("blog"), 1).directory);
  EXPECT_FALSE(engine().jobs.front().port);
}

TEST_F(Jobs, TellTheirEnd) {
  EXPECT_EQ(run_script("exit 7"), 7);
  EXPECT_EQ(last().outcome, "exit code 7");
  EXPECT_EQ(last().exit_code, 7);
  EXPECT_EQ(run_script("kill -KILL $$"), 137);
  EXPECT_EQ(last().outcome, "killed by SIGKILL");
  EXPECT_FALSE(last().exit_code);
  EXPECT_EQ(run_script("exec sleep 1000", Milliseconds{50}), 124);
  EXPECT_EQ(last().outcome, "ran longer than 50 ms");
  EXPECT_EQ(engine().forgotten.size(), 3u);
  EXPECT_FALSE(is_plain_file(layout_.job_lock(1)));
}

TEST_F(Jobs, ThatCannotBeginAreNotRunning) {
  JobRequest none = request("true");
  none.command = {"/no/such/program"};
  EXPECT_THROW(run_job(platform(), none, {.kind = Attachment::Kind::Direct, .in = -1, .out = -1, .err = -1}), Error);
  EXPECT_TRUE(store().running_jobs().empty());
  EXPECT_THAT(last().outcome, HasSubstr("failed: start"));
  EXPECT_EQ(engine().forgotten.size(), 1U) << "what was made for it is removed";
}

TEST_F(Jobs, WhoseLoggerIsKilledStillRecordTheirEnd) {
  static_cast<void>(signal(SIGPIPE, SIG_IGN));  // as the program does
  engine().loggers_die = true;
  const auto job =
      store().add_job(app("blog").id, JobKind::Run, "run",
                      {"/bin/sh", "-c", "trap '' PIPE; while echo x 2>/dev/null; do :; done; exit 7"}, "ann");
  look_after_job(platform(), job.id, Milliseconds::max());
  EXPECT_EQ(last().outcome, "exit code 7");
  EXPECT_EQ(engine().forgotten.size(), 1U);
}

TEST_F(Jobs, OfAKilledHolderAreSettledAsLost) {
  close();
  const pid_t holder = in_child([&] {
    open();
    run_script("exec sleep 1000");
  });
  open();
  ASSERT_TRUE(eventually([&] { return is_held(); }));
  settle_jobs(platform());
  EXPECT_EQ(store().running_jobs().size(), 1u) << "it is held";
  kill(holder, SIGKILL);
  EXPECT_EQ(ended(holder), -SIGKILL);
  settle_jobs(platform());
  EXPECT_TRUE(store().running_jobs().empty());
  EXPECT_THAT(last().outcome, HasSubstr("lost"));
}

TEST_F(Jobs, AreSettledLaterWhileOneBegins) {
  store().add_job(app("blog").id, JobKind::Run, "run", {"x"}, "ann");
  {
    const auto begins = FileLock::acquire(layout_.job_begin_lock());
    begins.announce("a job that begins");
    settle_jobs(platform());  // the daemon has other things to do than to wait
    EXPECT_EQ(store().running_jobs().size(), 1u);
  }
  settle_jobs(platform());
  EXPECT_TRUE(store().running_jobs().empty());
}

TEST_F(Jobs, AreWaitedForByWhatReplacesTheirDataAndThenNamed) {
  const auto blog = app("blog").id;
  await_end_of_jobs(platform(), {blog}, Milliseconds{0});
  const auto job = store().add_job(blog, JobKind::Run, "run", {"x"}, "ann");
  try {
    await_end_of_jobs(platform(), {blog}, Milliseconds{50});
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.message(), HasSubstr("run.1 of blog is running"));
    EXPECT_THAT(error.hint(), HasSubstr("run blog --stop run.1"));
  }
  await_end_of_jobs(platform(), {blog + 1}, Milliseconds{0});
  store().end_job(job.id, 0, "");
  await_end_of_jobs(platform(), {blog}, Milliseconds{0});
}

TEST_F(Jobs, BeginWhenTheDatabaseOfTheirAppHasMoved) {
  const auto service =
      store().add_service({.name = ServiceName::parse("db"), .type = "postgres", .version = "15", .memory = 1});
  store().set_attachment({.service = service.id, .app_id = app("blog").id, .app = "blog"});
  store().set_service_upgrade(service.id, "15 mark");
  auto one = request("true");
  unsigned told = 0;
  one.waits = [&] {
    ++told;
    EXPECT_TRUE(store().running_jobs().empty());
    store().set_service_upgrade(service.id, "");
  };
  EXPECT_EQ(run_job(platform(), one, {.kind = Attachment::Kind::Direct, .in = -1, .out = -1, .err = -1}), 0);
  EXPECT_EQ(told, 1u);
}

TEST_F(Jobs, AreStoppedBySignal) {
  const fs::path begun = layout_.root() / "begun";
  close();
  const pid_t holder = in_child([&] {
    open();
    const std::string script = fmt::format("trap 'exit 9' TERM; touch {}; sleep 1000 & wait", begun.native());
    if (run_script(script) != 9) throw Error("another end");
  });
  open();
  ASSERT_TRUE(eventually([&] { return is_held() && is_plain_file(begun); }));
  stop_jobs(platform(), store().running_jobs());
  EXPECT_EQ(ended(holder), 0);
  EXPECT_EQ(last().outcome, "exit code 9");
}

TEST_F(Jobs, KeepTheirReleaseFromBeingPruned) {
  settings_.keep_releases = 1;
  close();
  open();
  const auto job = store().add_job(app("blog").id, JobKind::Run, "run", {"x"}, "ann");
  const auto holder = FileLock::acquire(layout_.job_lock(job.id));
  for (int number = 2; number < 5; ++number) run(push_of(version(number, repository().head_of(branch_))));
  reconcile();
  prune_releases(platform(), app("blog"));
  EXPECT_TRUE(store().release(app("blog").id, 1));
  EXPECT_TRUE(is_directory(find_checkout(layout_, AppName::parse("blog"), 1).tree()));
  EXPECT_FALSE(store().release(app("blog").id, 2));
  store().end_job(job.id, 0, "exit code 0");
  prune_releases(platform(), app("blog"));
  EXPECT_FALSE(store().release(app("blog").id, 1));
}

TEST_F(Jobs, TakeOneWordWithSpacesForACommandLine) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(command_of(platform(), {"ls"}), Words{"ls"});
  EXPECT_EQ(command_of(platform(), {"ls -l"}), (Words{"/bin/sh", "-c", "ls -l"}));
  EXPECT_EQ(command_of(platform(), {"a;b"}), Words{"a;b"});
  EXPECT_EQ(command_of(platform(), {"ls", "a b"}), (Words{"ls", "a b"}));
}

}  // namespace
}  // namespace pushrod
