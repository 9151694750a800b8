// The tree of this machine: Pushrod's own programs in it, and what the watchdog asks about them.
#include "engine/local/machine.hh"
#include "fixtures.hh"
#include "os/process_tree.hh"

namespace pushrod {
namespace {

using testing::Contains;
using testing::IsEmpty;

class OwnServices : public LocalTest {
 protected:
  static Command sleeper() {
    Command command;
    command.argv = {"/bin/sleep", "1000"};
    return command;
  }
};

TEST_F(OwnServices, StartWithTheTreeAndEndWhenTheyAreTold) {
  EXPECT_FALSE(tree_.is_running());
  tree_.prepare_program("daemon", sleeper());
  EXPECT_EQ(tree_.pid_of("daemon"), 0);
  start_tree();
  ASSERT_TRUE(eventually([&] { return tree_.pid_of("daemon") != 0; }));
  EXPECT_TRUE(eventually([&] { return tree_.unsupervised().empty(); }));
  EXPECT_THAT(engine_.inspect(), IsEmpty()) << "it is no instance";
  tree_.stop("daemon");
  EXPECT_TRUE(eventually([&] { return tree_.pid_of("daemon") == 0; }));
}

TEST_F(OwnServices, EndWithAnEarlierTreeThatWasKilled) {
  tree_.prepare_program("daemon", sleeper());
  start_tree();
  ASSERT_TRUE(eventually([&] { return tree_.pid_of("daemon") != 0; }));
  ::kill(scanner_->pid(), SIGKILL);
  ASSERT_TRUE(eventually([&] { return !tree_.is_running(); }));
  EXPECT_EQ(tree_.end_orphans(kPatience), 1U);
  EXPECT_EQ(tree_.end_orphans(kPatience), 0U);
}

TEST_F(OwnServices, IncludeARouterThatSaysWhenItIsStopped) {
  tree_.prepare_router(ingress_, {target("blog", {})});
  start_tree();
  ASSERT_TRUE(eventually([&] { return !ingress_.idleness().empty(); }));
  EXPECT_EQ(Connection(settings_.http.port).get("blog.localhost").status, 503);
  EXPECT_THAT(tree_.stopped_of_router(), IsEmpty());
  EXPECT_THAT(tree_.silent_of_router(settings_, kPatience), IsEmpty());

  const auto master = tree_.pid_of("router");
  const auto worker = children_of(master).front();
  ::kill(worker, SIGSTOP);
  EXPECT_TRUE(eventually([&] { return tree_.stopped_of_router() == std::vector{worker}; }));
  EXPECT_THAT(tree_.silent_of_router(settings_, Milliseconds{100}), Contains(worker));
  ::kill(master, SIGSTOP);
  EXPECT_TRUE(eventually([&] { return tree_.stopped_of_router() == std::vector{master, worker}; })) << "master first";
  for (const auto pid : {worker, master}) ::kill(pid, SIGCONT);
  EXPECT_TRUE(eventually([&] { return tree_.stopped_of_router().empty(); }));
}

TEST(Machine, CanRunSandboxesAndARouter) {
  EXPECT_NO_THROW(check_sandboxes());
  const auto limit = connection_limit();
  EXPECT_GT(limit.open_files, 0U);
  EXPECT_GE(limit.connections, 100U);
}

}  // namespace
}  // namespace pushrod
