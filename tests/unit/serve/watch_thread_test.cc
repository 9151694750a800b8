// The watch over new releases in the daemon: it starts the fallback of one that keeps ending.
#include "serve/watch_thread.hh"

#include "daemon.hh"

namespace pushrod {
namespace {

class WatchInDaemon : public DaemonTest {
 protected:
  WatchInDaemon() {
    settings_.watch = kPatience;
    open();
    add_app("blog");
    const auto first = version(1);
    EXPECT_TRUE(run(push_of(first)).outcome.live);
    settle_down();
    EXPECT_TRUE(run(push_of(version(2, first))).outcome.live);
  }
  std::string fallback() { return fmt::format("fallback --group {}\n", store().watch(app("blog").id).value().group); }
};

TEST_F(WatchInDaemon, StartsAFallbackInAProcessOfItsOwn) {
  const auto daemon = in_daemon([](View& view) {
    view.engine.deaths[instance("blog.2.web.1")] = {1, "exit code 1"};
    new WatchThread(view.platform);
  });
  EXPECT_TRUE(eventually([&] { return started().starts_with(fallback()); })) << started();
}

TEST_F(WatchInDaemon, LooksAtOnceWhenItIsCalled) {
  auto pipe = make_pipe();
  const auto daemon = in_daemon([&pipe](View& view) {
    auto* thread = new WatchThread(view.platform);
    char byte = 0;
    static_cast<void>(!read(pipe.read_end.get(), &byte, 1));
    view.engine.deaths[instance("blog.2.web.1")] = {1, "exit code 1"};
    thread->call();
  });
  EXPECT_EQ(started(), "");
  ASSERT_EQ(write(pipe.write_end.get(), "x", 1), 1);
  EXPECT_TRUE(eventually([&] { return started().starts_with(fallback()); })) << started();
}

}  // namespace
}  // namespace pushrod
