// Deployments: numbers, states, steps, superseding, pruning.
#include "fixture.hh"

namespace pushrod {
namespace {

using State = DeploymentState;

class StoreDeployments : public StoreTest {
 protected:
  State state(std::int64_t group) { return store().group(group).at(0).state; }
  Deployment read(const App& app, ReleaseNumber number) { return store().deployment(app.id, number).value(); }
  // Puts a new group of the app into the state.
  std::int64_t group_in(const App& app, State state) {
    const std::int64_t group = begin({app})[0].group;
    switch (state) {
      case State::Waiting:
        break;
      case State::Superseded:
      case State::Failed:
      case State::Cancelled:
        store().fail(group, {state, "why", "hint"});
        break;
      case State::Live:
      case State::Committed:
      case State::Ready:
      case State::Running:
        store().advance(group, State::Running);
        if (state == State::Running) break;
        store().add_release(release_of(store().group(group)[0]));
        store().advance(group, State::Ready);
        if (state == State::Ready) break;
        store().commit_group(group);
        if (state == State::Live) store().advance(group, State::Live);
    }
    return group;
  }
};

TEST_F(StoreDeployments, BeginWaitingWithANumberOfTheirApp) {
  const App blog = add_app("blog");
  const App shop = add_app("shop");
  begin({shop});
  const std::vector<Deployment> begun = store().begin_deployments(
      {{.app_id = shop.id,
        .kind = DeploymentKind::Push,
        .commit = commit('b'),
        .previous = commit('a'),
        .author = "ann"},
       {.app_id = blog.id, .kind = DeploymentKind::Push, .commit = commit('b'), .previous = {}, .author = "ann"}});
  ASSERT_EQ(begun.size(), 2u);
  EXPECT_EQ(begun[0].app, shop.name);  // in the order of the requests
  EXPECT_EQ(begun[0].number, 2u);
  EXPECT_EQ(begun[1].app, blog.name);
  EXPECT_EQ(begun[1].number, 1u);
  EXPECT_EQ(begun[0].group, begun[1].group);
  EXPECT_EQ(begun[0].state, State::Waiting);
  EXPECT_EQ(begun[0].commit, commit('b'));
  EXPECT_EQ(begun[0].previous, commit('a'));
  EXPECT_EQ(begun[1].previous, std::nullopt);
  EXPECT_EQ(begun[0].author, "ann");
  EXPECT_EQ(begun[0].ended, std::nullopt);
  EXPECT_TRUE(begun[0].steps.empty());
  EXPECT_THROW(store().begin_deployments({}), Error);
}

TEST_F(StoreDeployments, TakeNoNumberTwiceEvenWhenTheNewestWasPruned) {
  const App blog = add_app("blog");
  store().fail(begin({blog})[0].group, {State::Failed, "x", ""});
  store().fail(begin({blog})[0].group, {State::Failed, "x", ""});
  EXPECT_EQ(store().prune_deployments(blog.id, 0), (std::vector<ReleaseNumber>{1, 2}));
  EXPECT_TRUE(store().deployments(blog.id, 10).empty());
  EXPECT_EQ(begin({blog})[0].number, 3u);
}

TEST_F(StoreDeployments, OfAnAppThatIsGoneTakeNothing) {
  const App blog = add_app("blog");
  const App gone = add_app("gone");
  const auto waiting = begin({blog});
  store().remove_app(gone.id);
  EXPECT_THROW(begin({blog, gone}), UserError);
  EXPECT_EQ(state(waiting[0].group), State::Waiting);
  EXPECT_EQ(begin({blog})[0].number, 2u);
}

TEST_F(StoreDeployments, ChangeStateOnlyAsTheTableSays) {
  const App blog = add_app("blog");
  const std::vector<State> all{State::Waiting, State::Running, State::Ready,     State::Committed,
                               State::Live,    State::Failed,  State::Cancelled, State::Superseded};
  for (const State from : all) {
    for (const State to : all) {
      const std::int64_t group = group_in(blog, from);
      const bool failing = to == State::Failed || to == State::Cancelled || to == State::Superseded;
      const auto change = [&] {
        if (failing) {
          store().fail(group, {to, "why", "what to do"});
        } else {
          if (to == State::Committed) {
            if (from == State::Live) throw Error("commit_group() does nothing here, by contract");
            store().commit_group(group);
          } else {
            store().advance(group, to);
          }
        }
      };
      if (from == to || may_follow(from, to)) {
        EXPECT_NO_THROW(change()) << to_string(from) << " to " << to_string(to);
        EXPECT_EQ(state(group), to);
        EXPECT_EQ(store().group(group)[0].ended.has_value(), is_final(to)) << to_string(to);
      } else {
        EXPECT_THROW(change(), Error) << to_string(from) << " to " << to_string(to);
        EXPECT_EQ(state(group), from);
      }
      // Out of the way of the next one.
      if (!is_final(state(group)) && state(group) != State::Committed) store().fail(group, {State::Failed, "", ""});
    }
  }
  EXPECT_THROW(store().advance(group_in(blog, State::Ready), State::Committed), Error);
  EXPECT_THROW(store().advance(12345, State::Running), Error);
}

TEST_F(StoreDeployments, KeepWhyTheyFailed) {
  const App blog = add_app("blog");
  const std::int64_t group = group_in(blog, State::Running);
  store().begin_step(group, Step::Build);
  store().fail(group, {State::Failed, "build failed: no such module", "add it to requirements.txt"});
  store().fail(group, {State::Failed, "another text", ""});  // once more is nothing
  const Deployment failed = read(blog, 1);
  EXPECT_EQ(failed.error, "build failed: no such module");
  EXPECT_EQ(failed.hint, "add it to requirements.txt");
  EXPECT_TRUE(failed.ended);
  ASSERT_EQ(failed.steps.size(), 1u);
  EXPECT_TRUE(failed.steps[0].ended);
  EXPECT_THROW(store().fail(group_in(blog, State::Committed), {State::Live, "", ""}), Error);
}

TEST_F(StoreDeployments, ChangeTogetherOrNotAtAll) {
  const App blog = add_app("blog");
  const std::int64_t group = begin({blog})[0].group;
  const auto change_and = [&](const std::function<void()>& then) {
    store().together([&] {
      store().advance(group, State::Running);
      then();
    });
  };
  EXPECT_THROW(change_and([] { throw UserError("no"); }), UserError);
  EXPECT_EQ(state(group), State::Waiting);
  EXPECT_THROW(change_and([&] { store().advance(group, State::Live); }), Error);
  EXPECT_EQ(state(group), State::Waiting);
  // An error that was swallowed must not leave a half.
  EXPECT_THROW(change_and([&] { EXPECT_THROW(add_app("blog"), UserError); }), Error);
  EXPECT_EQ(state(group), State::Waiting);

  const std::int64_t version = store().data_version();
  change_and([&] {
    store().begin_step(group, Step::Checkout);
    store().together([&] { add_app("shop"); });
    EXPECT_EQ(state(group), State::Running);                         // seen by those within
    EXPECT_EQ(Store(file()).group(group)[0].state, State::Waiting);  // and by nobody else
  });
  EXPECT_EQ(state(group), State::Running);
  EXPECT_EQ(store().data_version(), version + 1);  // one commit
  EXPECT_EQ(store().apps().size(), 2u);
}

TEST_F(StoreDeployments, StepsFollowEachOther) {
  const App blog = add_app("blog");
  const std::int64_t group = begin({blog})[0].group;
  store().begin_step(group, Step::Wait);
  store().advance(group, State::Running, Step::Checkout);
  store().begin_step(group, Step::Build);
  Deployment now = read(blog, 1);
  ASSERT_EQ(now.steps.size(), 3u);
  EXPECT_EQ(now.steps[0].step, Step::Wait);
  EXPECT_EQ(now.steps[1].step, Step::Checkout);
  EXPECT_EQ(now.steps[2].step, Step::Build);
  EXPECT_TRUE(now.steps[0].ended);
  EXPECT_EQ(now.steps[0].ended, now.steps[1].started);
  EXPECT_FALSE(now.steps[2].ended);

  store().begin_step(group, Step::Build);  // goes on after a restart
  now = read(blog, 1);
  ASSERT_EQ(now.steps.size(), 3u);
  EXPECT_FALSE(now.steps[2].ended);

  store().add_release(release_of(now));
  store().advance(group, State::Ready, Step::Commit);
  store().commit_group(group, Step::Switch);
  store().advance(group, State::Live);
  now = read(blog, 1);
  ASSERT_EQ(now.steps.size(), 5u);
  EXPECT_EQ(now.steps[4].step, Step::Switch);
  for (const StepRecord& record : now.steps) EXPECT_TRUE(record.ended) << to_string(record.step);
  store().begin_step(group, Step::Start);  // too late
  EXPECT_EQ(read(blog, 1).steps.size(), 5u);
}

TEST_F(StoreDeployments, AreSupersededAsAGroupWhileTheyWait) {
  const App blog = add_app("blog");
  const App shop = add_app("shop");
  const App api = add_app("api");
  const std::int64_t running = group_in(api, State::Running);
  const auto both = begin({blog, shop});
  store().begin_step(both[0].group, Step::Wait);
  const auto other = begin({api});
  const auto newer = begin({shop});
  EXPECT_EQ(newer[0].number, 2u);

  EXPECT_EQ(state(running), State::Running);
  EXPECT_EQ(state(other[0].group), State::Waiting);
  const Deployment of_shop = read(shop, 1);
  const Deployment of_blog = read(blog, 1);
  EXPECT_EQ(of_shop.state, State::Superseded);
  EXPECT_EQ(of_shop.error, "superseded by deployment 2");
  EXPECT_FALSE(of_shop.hint.empty());
  EXPECT_TRUE(of_shop.ended);
  EXPECT_TRUE(of_shop.steps.at(0).ended);
  EXPECT_EQ(of_blog.state, State::Superseded);
  EXPECT_EQ(of_blog.error, "superseded by deployment 2 of shop");
  // Who waited for its turn is told the reason, and that nothing broke.
  try {
    store().advance(both[0].group, State::Running);
    FAIL() << "goes on";
  } catch (const UserError& error) {
    EXPECT_EQ(error.message().find("superseded by deployment 2"), 0u) << error.message();
  }
}

TEST_F(StoreDeployments, ThatBeganToRunAreNotSuperseded) {
  const App blog = add_app("blog");
  std::vector<std::int64_t> groups;
  for (const State from : {State::Running, State::Ready, State::Committed}) {
    groups.push_back(group_in(blog, from));
    begin({blog});
    EXPECT_EQ(state(groups.back()), from);
  }
}

TEST_F(StoreDeployments, ThatAreUnfinishedAreListedOldestFirst) {
  const App blog = add_app("blog");
  std::vector<std::int64_t> expected;
  for (const State from : {State::Live, State::Committed, State::Failed, State::Ready, State::Cancelled, State::Running,
                           State::Superseded, State::Waiting}) {
    const std::int64_t group = group_in(blog, from);
    if (!is_final(from)) expected.push_back(group);
  }
  std::vector<std::int64_t> listed;
  for (const Deployment& deployment : store().unfinished_deployments()) listed.push_back(deployment.group);
  EXPECT_EQ(listed, expected);
}

TEST_F(StoreDeployments, AreListedNewestFirstWithTheirOwnSteps) {
  const App blog = add_app("blog");
  for (int i = 0; i < 5; ++i) {
    const std::int64_t group = begin({blog})[0].group;
    store().advance(group, State::Running, i % 2 == 0 ? Step::Checkout : Step::Build);
    store().fail(group, {State::Failed, "x", ""});
  }
  const std::vector<Deployment> listed = store().deployments(blog.id, 3);
  ASSERT_EQ(listed.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(listed[i].number, 5 - i);
    ASSERT_EQ(listed[i].steps.size(), 1u);
    EXPECT_EQ(listed[i].steps[0].step, i % 2 == 0 ? Step::Checkout : Step::Build);
  }
  EXPECT_FALSE(store().deployment(blog.id, 6));
}

TEST_F(StoreDeployments, ArePrunedOnlyWhenFinalOldAndWithoutRelease) {
  const App blog = add_app("blog");
  group_in(blog, State::Failed);      // 1: goes
  group_in(blog, State::Live);        // 2: has a release
  group_in(blog, State::Cancelled);   // 3: goes
  group_in(blog, State::Running);     // 4: not final
  group_in(blog, State::Superseded);  // 5: kept, among the newest two
  group_in(blog, State::Failed);      // 6
  EXPECT_EQ(store().prune_deployments(blog.id, 2), (std::vector<ReleaseNumber>{1, 3}));
  EXPECT_EQ(store().deployments(blog.id, 100).size(), 4u);
  EXPECT_TRUE(store().prune_deployments(blog.id, 2).empty());
  EXPECT_EQ(store().integrity(), "ok");
}

TEST_F(StoreDeployments, OfAGroupArePrunedPerApp) {
  const App blog = add_app("blog");
  const App shop = add_app("shop");
  const auto both = begin({blog, shop});
  store().fail(both[0].group, {State::Failed, "x", ""});
  EXPECT_EQ(store().prune_deployments(blog.id, 0), (std::vector<ReleaseNumber>{1}));
  EXPECT_EQ(store().deployment(shop.id, 1)->state, State::Failed);
}

}  // namespace
}  // namespace pushrod
