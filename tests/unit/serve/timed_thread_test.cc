// The daemon's cron starts what is due, when the daemon starts and when it is called.
#include "serve/timed_thread.hh"

#include "daemon.hh"
#include "deploy/cron.hh"

namespace pushrod {
namespace {

class CronInDaemon : public DaemonTest {
 protected:
  CronInDaemon() {
    deploy_app("[processes]\nweb = \"serve\"\n[[cron]]\nschedule = \"* * * * *\"\ncommand = \"clean\"\nname = \"c\"\n");
  }
  // As if the clock of its cron jobs had not been followed for two minutes.
  void miss_a_run() {
    CronClock(platform(), [](const JobRequest&) { ADD_FAILURE(); }).pass(now() - std::chrono::minutes{2});
  }
  // A run of this test may meet the full minute, and a second run.
  bool starts_the_job() {
    return eventually([&] { return started().starts_with("job --id 1\n"); });
  }
};

TEST_F(CronInDaemon, StartsAtOnceWhatWasMissed) {
  miss_a_run();
  const auto daemon =
      in_daemon([](View& view) { new TimedThread(view.platform, "looking for cron jobs", follow_cron); });
  EXPECT_TRUE(starts_the_job()) << started();
}

TEST_F(CronInDaemon, LooksAtOnceWhenItIsCalled) {
  auto pipe = make_pipe();
  const auto daemon = in_daemon([&pipe](View& view) {
    auto* thread = new TimedThread(view.platform, "looking for cron jobs", follow_cron);
    char byte = 0;
    static_cast<void>(!read(pipe.read_end.get(), &byte, 1));
    thread->call();
  });
  ASSERT_TRUE(eventually([&] { return !store().cron_states(app("blog").id).empty(); }));
  auto state = store().cron_states(app("blog").id).front();
  state.seen -= std::chrono::minutes{2};
  store().set_cron_state(app("blog").id, state);
  ASSERT_EQ(write(pipe.write_end.get(), "x", 1), 1);
  EXPECT_TRUE(starts_the_job()) << started();
}

}  // namespace
}  // namespace pushrod
