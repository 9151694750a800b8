// The state machine of a deployment, every pair of states; and its words.
#include "model/deployment.hh"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <utility>

#include "base/error.hh"
#include "model/release.hh"

namespace pushrod {
namespace {

using State = DeploymentState;

constexpr std::array kStates{State::Waiting, State::Running, State::Ready,     State::Committed,
                             State::Live,    State::Failed,  State::Cancelled, State::Superseded};

TEST(DeploymentStates, FollowEachOtherOnlyAsTheTableSays) {
  // Rows: from. Columns: to, both in the order of kStates.
  constexpr std::array<const char*, 8> kAllowed{
      ".R...FCS",  // waiting
      "..R..FC.",  // running
      "...C.FC.",  // ready
      "....L...",  // committed: only forward
      "........",  // live
      "........",  // failed
      "........",  // cancelled
      "........",  // superseded
  };
  for (std::size_t from = 0; from < kStates.size(); ++from) {
    for (std::size_t to = 0; to < kStates.size(); ++to) {
      EXPECT_EQ(may_follow(kStates[from], kStates[to]), kAllowed[from][to] != '.')
          << to_string(kStates[from]) << " to " << to_string(kStates[to]);
    }
  }
}

TEST(DeploymentStates, AreFinalWhenNothingFollows) {
  const std::set<State> final{State::Live, State::Failed, State::Cancelled, State::Superseded};
  for (const State state : kStates) EXPECT_EQ(is_final(state), final.count(state) == 1) << to_string(state);
}

TEST(DeploymentWords, AreReadBack) {
  std::set<std::string_view> words;
  for (const State state : kStates) {
    EXPECT_EQ(deployment_state_from(to_string(state)), state);
    words.insert(to_string(state));
  }
  EXPECT_EQ(words.size(), kStates.size());
  for (const auto kind :
       {DeploymentKind::Push, DeploymentKind::Redeploy, DeploymentKind::Restart, DeploymentKind::Remove}) {
    EXPECT_EQ(deployment_kind_from(to_string(kind)), kind);
  }
  for (const auto step : {Step::Wait, Step::Checkout, Step::Build, Step::Release, Step::Start, Step::Health,
                          Step::Commit, Step::Switch}) {
    EXPECT_EQ(step_from(to_string(step)), step);
  }
  for (const auto state :
       {InstanceState::Starting, InstanceState::Serving, InstanceState::Draining, InstanceState::Stopping}) {
    EXPECT_EQ(instance_state_from(to_string(state)), state);
  }
}

TEST(DeploymentWords, OfUnknownTextsAreInternalErrors) {
  for (const char* text : {"", "Live", "live ", "superseded\n"}) {
    EXPECT_THROW(deployment_state_from(text), Error) << text;
    EXPECT_THROW(deployment_kind_from(text), Error) << text;
    EXPECT_THROW(step_from(text), Error) << text;
    EXPECT_THROW(instance_state_from(text), Error) << text;
  }
}

}  // namespace
}  // namespace pushrod
