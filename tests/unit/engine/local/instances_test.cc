// Instances, from the plan to the end, with a real s6 and real sandboxes.
#include <thread>

#include "base/error.hh"
#include "fixtures.hh"

namespace pushrod {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

using Instances = LocalTest;

TEST_F(Instances, RunTheirCommandInTheirCheckout) {
  start_tree();
  const auto worker = plan("worker", "echo $PWD $GREETING; cat file; exec sleep 1000");
  write_file(worker.checkout.tree() / "file", "from the commit\n");
  engine_.start({worker});
  EXPECT_EQ(engine_.await_healthy({worker}, -1), std::nullopt);
  EXPECT_TRUE(eventually([&] { return output(worker.name) == "/app hi\nfrom the commit"; })) << output(worker.name);

  const auto found = engine_.inspect();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, worker.name);
  EXPECT_TRUE(found[0].up);
  EXPECT_EQ(found[0].restarts, 0U);
  EXPECT_EQ(found[0].last_exit, std::nullopt);
  const auto usage = engine_.usage();
  ASSERT_EQ(usage.size(), 1U);
  EXPECT_GT(usage[0].memory, 0U);

  EXPECT_THAT(engine_.remove({worker.name}), ElementsAre(worker.name)) << "it still runs";
  engine_.stop({worker.name});
  EXPECT_TRUE(eventually([&] { return engine_.remove({worker.name}).empty(); }));
  EXPECT_THAT(engine_.inspect(), IsEmpty());
  EXPECT_THAT(engine_.inspect({worker.name}), IsEmpty());
}

TEST_F(Instances, AreStartedOnce) {
  start_tree();
  const auto worker = plan("worker", "exec sleep 1000");
  engine_.start({worker});
  ASSERT_EQ(engine_.await_healthy({worker}, -1), std::nullopt);
  const auto pid = engine_.inspect().front().pid;
  engine_.start({worker});
  EXPECT_EQ(engine_.inspect().front().pid, pid);
  EXPECT_THAT(end({worker.name}), IsEmpty());
}

TEST_F(Instances, MayBeStartedByThreadsThatShareTheEngine) {
  start_tree();
  const auto web = plan("web", "exec sleep 1000"), worker = plan("worker", "exec sleep 1000");
  const auto run = [this](const InstancePlan& one) {
    engine_.start({one});
    EXPECT_EQ(engine_.await_healthy({one}, -1), std::nullopt);
  };
  std::thread first(run, std::cref(web)), second(run, std::cref(worker));
  first.join();
  second.join();
  EXPECT_EQ(engine_.inspect().size(), 2U);
  EXPECT_THAT(end({web.name, worker.name}), IsEmpty());
}

TEST_F(Instances, AreNotHealthyWhenTheyEnd) {
  start_tree();
  auto worker = plan("worker", "echo no such table >&2; exit 3");
  worker.process.health.settle = kPatience;  // at the first look it may still be up
  engine_.start({worker});
  const auto failure = engine_.await_healthy({worker}, -1);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->name, worker.name);
  EXPECT_THAT(failure->reason, StartsWith("ended with exit code 3"));
  EXPECT_THAT(failure->output, testing::Contains("no such table"));
  EXPECT_EQ(engine_.inspect({worker.name}).front().last_exit, ExitStatus::exited(3));
  EXPECT_THAT(end({worker.name}), IsEmpty());
}

TEST_F(Instances, AreNotHealthyWhenTheyEndWhileTheySettle) {
  start_tree();
  auto worker = plan("worker", "sleep 0.3; kill -SEGV $$");
  worker.process.health.settle = kPatience;
  engine_.start({worker});
  const auto failure = engine_.await_healthy({worker}, -1);
  ASSERT_TRUE(failure);
  EXPECT_THAT(failure->reason, AnyOf(StartsWith("ended with SIGSEGV, "), StartsWith("ended with exit code 139, ")));
  EXPECT_THAT(failure->reason, HasSubstr(" after its first successful check"));
  EXPECT_THAT(end({worker.name}), IsEmpty());
}

TEST_F(Instances, ThatAreRoutedAreHealthyWhenTheyAnswer) {
  start_tree();
  const AppServer server("blog");  // in place of a program inside
  auto web = plan("web", "exec sleep 1000", server.port());
  const Instance row{.name = web.name, .port = web.port, .since = {}};
  web.process.health.path = "/";
  engine_.start({web});
  EXPECT_EQ(engine_.await_healthy({web}, -1), std::nullopt);
  EXPECT_EQ(engine_.endpoint(row), loopback(server.port()));
  const auto conditions = engine_.conditions({row});
  ASSERT_EQ(conditions.size(), 1U);
  EXPECT_EQ(conditions[0].condition, Condition::Running);

  web.process.health.path = "/break";
  web.process.health.timeout = Milliseconds{300};
  const auto failure = engine_.await_healthy({web}, -1);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->reason, "is not healthy after 0.30 s: GET /break got no answer");
  EXPECT_EQ(failure->hint,
            fmt::format("it does not listen on any port: a web process must listen on $PORT ({})", server.port()));
  EXPECT_THAT(end({web.name}), IsEmpty());
  EXPECT_EQ(engine_.conditions({row}).front().condition, Condition::Down);
}

TEST_F(Instances, AreWaitedForUntilThatIsCancelled) {
  start_tree();
  const auto port = listen_anywhere().second;
  const auto web = plan("web", "exec sleep 1000", port);
  engine_.start({web});
  auto pipe = make_pipe();
  pipe.write_end.reset();
  EXPECT_THROW(engine_.await_healthy({web}, pipe.read_end.get()), Error);
  EXPECT_THAT(end({web.name}), IsEmpty());
}

TEST_F(Instances, CannotRunWhileTheTreeDoesNot) {
  try {
    engine_.check_ready();
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.hint(), HasSubstr("--root " + layout_.root().native() + " up"));
  }
  start_tree();
  EXPECT_NO_THROW(engine_.check_ready());
}

TEST_F(Instances, NeedTheFilesOfTheirRelease) {
  const auto worker = plan("worker", "true");
  EXPECT_NO_THROW(engine_.provide({worker}));
  remove_tree(worker.checkout.directory);
  try {
    engine_.provide({worker});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("the files of release 1 of blog are gone: "));
    EXPECT_EQ(error.hint(), "deploy the app again: redeploy blog");
  }
}

TEST_F(Instances, HaveLimitsThatTheMachineMayNotKeep) {
  auto worker = plan("worker", "true");
  EXPECT_THAT(engine_.limits_not_kept({worker}), IsEmpty());
  worker.process.limits.cpu_percent = 50;
  EXPECT_THAT(engine_.limits_not_kept({worker, worker}), ElementsAre("cpu is not limited")) << "without a cgroup";
}

TEST_F(Instances, OfADestroyedAppLeaveNoHostsFile) {
  start_tree();
  const auto worker = plan("worker", "exec sleep 1000");
  engine_.start({worker});
  EXPECT_THAT(end({worker.name}), IsEmpty());
  const auto hosts = sandbox_hosts(layout_.sandbox_etc(), "blog");
  EXPECT_TRUE(is_plain_file(hosts));
  engine_.forget_app(worker.name.app);
  EXPECT_FALSE(is_plain_file(hosts));
}

using Jobs = LocalTest;

TEST_F(Jobs, RunTheirWordsInTheSandbox) {
  const auto job = plan("run", "");
  auto command = engine_.job(job, engine_.shell_words("echo $PWD $GREETING; exit 5"));
  command.deadline = kPatience;
  const auto result = run(command);
  EXPECT_EQ(result.out, "/app hi\n") << result.err;
  EXPECT_EQ(result.code, 5);
  EXPECT_TRUE(is_directory(layout_.job(job.name)));
  engine_.forget_job(job.name);
  EXPECT_FALSE(is_directory(layout_.job(job.name)));
  EXPECT_NO_THROW(engine_.forget_job(job.name)) << "once more";
}

TEST_F(Jobs, HaveLogsLikeInstances) {
  const auto job = name("blog.1.run.7");
  auto command = engine_.job_log(job);
  auto pipe = make_pipe();
  auto logger = ChildProcess::start(command, pipe.read_end.get(), -1, 2);
  write_all(pipe.write_end.get(), "migrated\n", "writing");
  pipe.write_end.reset();
  ASSERT_TRUE(logger.wait(kPatience));
  EXPECT_THAT(engine_.last_output(job), ElementsAre("migrated"));
  EXPECT_THAT(engine_.logs(job.app, "run.7")->sources(), ElementsAre("run.7"));
}

TEST_F(LocalTest, ExaminesWhatInstancesNeed) {
  std::vector<std::string> names;
  for (const auto& finding : engine_.examine()) {
    names.push_back(finding.name);
    if (finding.required) {
      EXPECT_TRUE(finding.good) << finding.name << ": " << finding.found;
    }
  }
  ASSERT_GE(names.size(), 5U);
  EXPECT_EQ(names.front(), "sandboxes");
  EXPECT_THAT(names, testing::IsSupersetOf({"writable paths in /app", "cgroup limits", "process limits"}));
}

}  // namespace
}  // namespace pushrod
