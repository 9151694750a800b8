// Changes in processes of their own: from threads, and by callers that are killed.
// This program is also the process of a change: main() is below.
#include "operate/submit.hh"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <thread>

#include "fixtures.hh"
#include "operate/change.hh"

namespace pushrod {
namespace {

using testing::HasSubstr;

// In TZ, one of the variables that a tool gets: the process of the change is killed before it answers.
constexpr const char* kKilled = "UTC-killed";

class Submit : public OperateTest {
 protected:
  Submit() {
    // The processes of changes become children of this one, which can wait for them.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    live_app("blog");
  }
  Change restart_of_blog() { return change_of(operator_, app("blog"), DeploymentKind::Restart); }
  static void await_all_processes() {
    while (waitpid(-1, nullptr, 0) > 0) {
    }
  }
  std::vector<Deployment> deployments() { return store().deployments(app("blog").id, 100); }
};

TEST_F(Submit, ReturnsWhenTheChangeHasBegunAndItGoesOnToItsEnd) {
  const auto submitted = submit(layout_, {}, restart_of_blog());
  ASSERT_EQ(submitted.parts.size(), 1U);
  EXPECT_EQ(submitted.parts.front().app, blog_);
  EXPECT_EQ(submitted.parts.front().deployment, 2U);
  EXPECT_EQ(store().group(submitted.group).size(), 1U);
  await_all_processes();
  EXPECT_EQ(deployments().front().state, DeploymentState::Live);
  EXPECT_EQ(app("blog").live, 2U);
  EXPECT_THAT(read_file(layout_.deployment_log(blog_, 2)).value_or(""), HasSubstr("Release 2 of blog is live"));
}

TEST_F(Submit, IsAuditedInTheNameOfItsCaller) {
  const auto key = store().add_key(KeyName::parse("ann"), "ssh-ed25519 ann", "SHA256:ann", Role::Deploy, {blog_});
  submit(layout_, {key, "192.0.2.1"}, restart_of_blog());
  await_all_processes();
  const auto entry = audit_entries(operator_, "blog", 1).front();
  EXPECT_EQ(entry.who, "ann");
  EXPECT_EQ(entry.address, "192.0.2.1");
  EXPECT_EQ(entry.action, "restart");
  EXPECT_EQ(entry.outcome, "done");
}

TEST_F(Submit, TellsWhyItCannotBegin) {
  const auto key = store().add_key(KeyName::parse("gone"), "ssh-ed25519 x", "SHA256:x", Role::Deploy, {blog_});
  store().remove_key(key.name);
  EXPECT_THAT(refusal([&] {
                submit(layout_, {key, "192.0.2.1"}, restart_of_blog());
              }),
              HasSubstr("this key has been removed"));
  auto change = restart_of_blog();
  change.apps.front().id += 1;
  EXPECT_THAT(refusal([&] { submit(layout_, {}, change); }), HasSubstr("was destroyed in the meantime"));
  await_all_processes();
  EXPECT_EQ(deployments().size(), 1U);
}

TEST_F(Submit, TellsWhyTheDeploymentFailedBeforeItsLogWasThere) {
  const auto log = layout_.deployment_log(blog_, 2);
  make_directory(log);
  try {
    submit(layout_, {}, restart_of_blog());
    ADD_FAILURE() << "nothing thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr(log.native()));
  }
  await_all_processes();
  EXPECT_EQ(deployments().front().state, DeploymentState::Failed);
}

TEST_F(Submit, TellsThatItsProcessWasKilledBeforeItAnswered) {
  const auto change = restart_of_blog();
  setenv("TZ", kKilled, 1);
  try {
    submit(layout_, {}, change);
    ADD_FAILURE() << "nothing thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("was killed before it told whether the change began"));
    EXPECT_THAT(error.hint(), HasSubstr("`pushrod deployments APP`"));
  }
  unsetenv("TZ");
  await_all_processes();
  EXPECT_EQ(deployments().size(), 1U);
}

TEST_F(Submit, IsForThreadsWhichMayEndAtOnce) {
  const auto change = restart_of_blog();
  std::vector<std::thread> threads;
  for (int count = 0; count < 3; ++count) threads.emplace_back([&] { submit(layout_, {}, change); });
  for (auto& thread : threads) thread.join();
  await_all_processes();
  EXPECT_EQ(deployments().size(), 4U);
  EXPECT_EQ(deployments().front().state, DeploymentState::Live) << deployments().front().error;
  settle_down();
  EXPECT_TRUE(store().unfinished_deployments().empty());
}

TEST_F(Submit, SurvivesItsCallerOrDoesNotBegin) {
  const auto change = restart_of_blog();
  for (Milliseconds delay{0}; delay < Milliseconds{60}; delay += Milliseconds{3}) {
    SCOPED_TRACE(delay.count());
    const auto before = deployments().size();
    const auto caller = in_child([&] { submit(layout_, {}, change); });
    std::this_thread::sleep_for(delay);
    kill(caller, SIGKILL);
    await_all_processes();
    const auto after = deployments();
    ASSERT_LE(after.size(), before + 1);
    EXPECT_EQ(after.front().state, DeploymentState::Live) << after.front().error;
    EXPECT_TRUE(store().unfinished_deployments().empty());
  }
  settle_down();
}

}  // namespace
}  // namespace pushrod

int main(int argc, char** argv) {
  using namespace pushrod;
  static_cast<void>(signal(SIGPIPE, SIG_IGN));  // as src/main.cc does
  if (argc == 4 && std::string_view(argv[3]) == "change") {
    return run_submitted([&] {
      if (const char* zone = getenv("TZ"); zone != nullptr && std::string_view(zone) == kKilled) raise(SIGKILL);
      return std::make_unique<Session>(argv[2], Caller{}, [](const Layout& layout, const Settings&) {
        const auto directory = layout.root() / "engine";
        return Engines{std::make_unique<FakeEngine>(directory), std::make_unique<FakeEngine>(directory)};
      });
    });
  }
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
