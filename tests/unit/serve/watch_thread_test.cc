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
    first_ = version(1);
    EXPECT_TRUE(run(push_of(*first_)).outcome.live);
    settle_down();
  }
  // A second release, which is watched.
  void push() { EXPECT_TRUE(run(push_of(version(2, first_))).outcome.live); }
  bool falls_back() {
    return eventually([&] { return started().starts_with("change\n"); });
  }
  static void let_it_die(View& view) { view.engine.deaths[instance("blog.2.web.1")] = {1, ExitStatus::exited(1)}; }
  std::optional<CommitId> first_;
};

TEST_F(WatchInDaemon, StartsAFallbackInAProcessOfItsOwn) {
  push();
  const auto daemon = in_daemon([](View& view) {
    let_it_die(view);
    new WatchThread(view.platform);
  });
  EXPECT_TRUE(falls_back()) << started();
}

TEST_F(WatchInDaemon, LooksAtOnceWhenItIsCalled) {
  auto pipe = make_pipe();
  const auto daemon = in_daemon([&pipe](View& view) {
    let_it_die(view);
    auto* thread = new WatchThread(view.platform);
    char byte = 0;
    static_cast<void>(!read(pipe.read_end.get(), &byte, 1));
    thread->call();
  });
  push();
  ASSERT_EQ(write(pipe.write_end.get(), "x", 1), 1);
  EXPECT_TRUE(falls_back()) << started();
}

}  // namespace
}  // namespace pushrod
