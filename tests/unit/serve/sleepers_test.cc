// Idle apps are put to sleep, and the router's call wakes them.
#include "serve/sleepers.hh"

#include "daemon.hh"
#include "os/socket.hh"
#include "router/router.hh"

namespace pushrod {
namespace {

class Sleepers : public DaemonTest {
 protected:
  Sleepers() { deploy_app("[processes]\nweb = { command = \"serve\", sleep_after = \"1s\" }\n"); }
  std::unique_ptr<Daemon> run_sleepers(Milliseconds idle_for) {
    auto daemon = in_daemon([idle_for](View& view) {
      view.engine.idle[AppName::parse("blog")] = {0, idle_for};
      start_sleepers(view.platform);
    });
    EXPECT_TRUE(eventually([&] { return fs::exists(layout_.wake_socket()); }));
    return daemon;
  }
  InstanceState state() { return store().instances(app("blog").id).front().state; }
  void call(const std::string& word) const { ask_unix_socket(layout_.wake_socket(), word, kPatience); }
  void put_to_sleep() {
    store().set_instance_state(instance("blog.1.web.1"), InstanceState::Asleep);
    engine().lose(instance("blog.1.web.1"));
  }
};

TEST_F(Sleepers, PutIdleAppsToSleep) {
  const auto daemon = run_sleepers(std::chrono::minutes{30});
  EXPECT_TRUE(eventually([&] { return state() == InstanceState::Asleep && !is_up("blog.1.web.1"); }));
}

TEST_F(Sleepers, WakeTheAppThatTheRouterNames) {
  put_to_sleep();
  const auto daemon = run_sleepers(Milliseconds{0});
  call(routed_name(AppName::parse("blog")) + "\n");
  EXPECT_TRUE(eventually([&] { return state() == InstanceState::Serving && is_up("blog.1.web.1"); }));
}

TEST_F(Sleepers, GoOnAfterACallThatNamesNoApp) {
  put_to_sleep();
  const auto daemon = run_sleepers(Milliseconds{0});
  for (const char* word : {"", "\n", "nonsense\n", "app.\n", "app.missing\n"}) call(word);
  call(routed_name(AppName::parse("blog")) + "\n");
  EXPECT_TRUE(eventually([&] { return is_up("blog.1.web.1"); }));
}

}  // namespace
}  // namespace pushrod
