// Several apps of one branch in one deployment, and types of which two instances may not run at once.
#include "deploy/deploy.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline.hh"

namespace pushrod {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class GroupOfTwo : public Pipeline {
 protected:
  GroupOfTwo() { add_app("admin", "admin"); }
  CommitId both(int number, const std::optional<CommitId>& parent = {}) const {
    return commit({{"Procfile", "web: serve\n"},
                   {"admin/Procfile", "web: serve\njobs: work\n"},
                   {"version", std::to_string(number)}},
                  parent);
  }
};

TEST_F(GroupOfTwo, BothGoLiveTogether) {
  EXPECT_TRUE(run(push_of(both(1))).outcome.live);
  reconcile();
  check_invariants("after the push");
  EXPECT_EQ(engine().routes(), "admin.example.org: admin.1.web.1\nblog.example.org: blog.1.web.1\n");
}

TEST_F(GroupOfTwo, EveryMessageNamesItsApp) {
  const auto told = run(push_of(commit({{"Procfile", "web: serve\n"}, {"admin/readme", ""}})));
  EXPECT_THAT(told.outcome.refusal, testing::StartsWith("admin: "));
  EXPECT_THAT(told.text, HasSubstr("\n !     admin: "));
  EXPECT_THAT(told.text, HasSubstr("\n       admin: done in "));
  EXPECT_THAT(told.text, HasSubstr("\n !     Nothing is deployed: admin, blog are as they were.\n"));
  EXPECT_THAT(platform().store.deployments(app("blog").id, 1).at(0).error, testing::StartsWith("admin: "));
}

TEST_F(GroupOfTwo, NoAppGoesLiveWhenOneFails) {
  const auto one = both(1);
  ASSERT_TRUE(run(push_of(one)).outcome.live);
  reconcile();
  expect_unchanged_by([&] {
    engine().unhealthy = "jobs";
    const auto told = run(push_of(both(2, one)));
    EXPECT_FALSE(told.outcome.live);
    EXPECT_THAT(told.text, HasSubstr("Nothing has changed: admin, blog run what they ran before."));
    EXPECT_THAT(told.outcome.refusal, HasSubstr("admin.2.jobs.1"));
  });
  expect_unchanged_by([&] {
    EXPECT_FALSE(run(push_of(commit({{"Procfile", "web: serve\n"}}, one))).outcome.live);  // admin/ is gone
  });
}

// An app with a type that may not run twice.
class WithoutOverlap : public Pipeline {
 protected:
  CommitId solo(int number, const std::optional<CommitId>& parent = {}) const {
    return commit({{"pushrod.toml", "[processes]\nweb = \"serve\"\nqueue = { command = \"work\", overlap = false }\n"},
                   {"version", std::to_string(number)}},
                  parent);
  }
};

TEST_F(WithoutOverlap, TheOldOneEndsBeforeTheNewOneStartsAndAfterTheOthersAreHealthy) {
  const auto one = solo(1);
  ASSERT_TRUE(run(push_of(one)).outcome.live);
  reconcile();
  engine().told.clear();
  ASSERT_TRUE(run(push_of(solo(2, one))).outcome.live);
  EXPECT_THAT(engine().told,
              ElementsAre("start blog.2.web.1", "await blog.2.web.1", "stop blog.1.queue.1", "remove blog.1.queue.1",
                          "remove blog.1.queue.1", "start blog.2.queue.1", "await blog.2.queue.1", "route"));
  reconcile();
  check_invariants("after the push");
}

TEST_F(WithoutOverlap, TheOldOneIsStartedAgainWhenTheNewOneFails) {
  const auto one = solo(1);
  ASSERT_TRUE(run(push_of(one)).outcome.live);
  reconcile();
  expect_unchanged_by([&] {
    engine().unhealthy = "queue";
    EXPECT_FALSE(run(push_of(solo(2, one))).outcome.live);
    EXPECT_EQ(engine().states().at(instance("blog.1.queue.1")), "up");
  });
}

}  // namespace
}  // namespace pushrod
