// The state table of a deployment, and the words for its states and steps.
// The words are what the database and `--json` hold, so they do not change.
#include "model/deployment.hh"

#include <algorithm>
#include <array>
#include <utility>

#include "model/words.hh"

namespace pushrod {

namespace {

using State = DeploymentState;

// Every transition there is; see the picture in the header.
constexpr std::array<std::pair<State, State>, 11> kTransitions{{
    {State::Waiting, State::Running},
    {State::Waiting, State::Superseded},
    {State::Waiting, State::Failed},
    {State::Waiting, State::Cancelled},
    {State::Running, State::Ready},
    {State::Running, State::Failed},
    {State::Running, State::Cancelled},
    {State::Ready, State::Committed},
    {State::Ready, State::Failed},
    {State::Ready, State::Cancelled},
    {State::Committed, State::Live},
}};

constexpr Words<DeploymentState, 8> kStates{"state of a deployment",
                                            {{{State::Waiting, "waiting"},
                                              {State::Running, "running"},
                                              {State::Ready, "ready"},
                                              {State::Committed, "committed"},
                                              {State::Live, "live"},
                                              {State::Failed, "failed"},
                                              {State::Cancelled, "cancelled"},
                                              {State::Superseded, "superseded"}}}};

constexpr Words<Step, 8> kSteps{"step",
                                {{{Step::Wait, "wait"},
                                  {Step::Checkout, "checkout"},
                                  {Step::Build, "build"},
                                  {Step::Release, "release"},
                                  {Step::Start, "start"},
                                  {Step::Health, "health"},
                                  {Step::Commit, "commit"},
                                  {Step::Switch, "switch"}}}};

}  // namespace

bool may_follow(DeploymentState from, DeploymentState to) {
  return std::find(kTransitions.begin(), kTransitions.end(), std::pair(from, to)) != kTransitions.end();
}

bool is_final(DeploymentState state) {
  return std::none_of(kTransitions.begin(), kTransitions.end(),
                      [&](const auto& transition) { return transition.first == state; });
}

std::string_view to_string(DeploymentState state) { return kStates.word(state); }
std::string_view to_string(Step step) { return kSteps.word(step); }
DeploymentState deployment_state_from(std::string_view text) { return kStates.value(text); }
Step step_from(std::string_view text) { return kSteps.value(text); }

namespace {
constexpr std::string_view kTo = " to ";
}

std::string detail_of(const Renaming& renaming) { return renaming.from.str() + std::string(kTo) + renaming.to.str(); }

std::optional<Renaming> renaming_of(const Deployment& deployment) {
  const auto to = deployment.detail.find(kTo);
  if (rules_of(deployment.kind).intent != Intent::Name || to == std::string::npos) return std::nullopt;
  return Renaming{AppName::parse(deployment.detail.substr(0, to)),
                  AppName::parse(deployment.detail.substr(to + kTo.size()))};
}

}  // namespace pushrod
