// A deployment: one attempt to change what an app runs. Its states and its steps.
// The table below is the whole state machine; the store refuses every other transition.
//
//   waiting ──► running ──► ready ──► committed ──► live
//      │           │          │
//      ├───────────┴──────────┴──► failed, cancelled
//      └──► superseded
//
//   waiting     another deployment of the app is in progress
//   running     checkout, build, release command, start, health; nothing that clients see has changed
//   ready       everything is built, started and healthy; the commit point comes next
//   committed   the commit point is passed (I1): only forward from here
//   live        finished: the app runs what this deployment wanted
//   failed, cancelled, superseded   finished: the app runs what it ran before (I2)
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/app.hh"
#include "model/deployment_kind.hh"
#include "model/names.hh"
#include "os/clock.hh"

namespace pushrod {

enum class DeploymentState { Waiting, Running, Ready, Committed, Live, Failed, Cancelled, Superseded };
enum class Step { Wait, Checkout, Build, Release, Start, Health, Commit, Switch };

bool may_follow(DeploymentState from, DeploymentState to);
bool is_final(DeploymentState state);

std::string_view to_string(DeploymentState state);
std::string_view to_string(Step step);
DeploymentState deployment_state_from(std::string_view text);  // throws Error
Step step_from(std::string_view text);

struct StepRecord {
  Step step;
  WallTime started;
  std::optional<WallTime> ended;
};

struct Deployment {
  AppId app_id = 0;
  AppName app;
  ReleaseNumber number = 0;
  std::int64_t group = 0;  // deployments that go live together: the apps of one branch in one push
  DeploymentKind kind = DeploymentKind::Push;
  DeploymentState state = DeploymentState::Waiting;
  std::optional<CommitId> commit;    // absent for Remove
  std::optional<CommitId> previous;  // what the ref named before; absent: the branch did not exist
  std::string detail;                // what was asked for beyond the kind: "set A, unset B", "web 1 to 3"; no values
  bool holds = false;                // requests wait from now until it is finished
  std::string author;                // name of the key, or "local:<user>"
  WallTime started;
  std::optional<WallTime> ended;
  std::string error, hint;  // why it did not go live; empty otherwise
  std::vector<StepRecord> steps;
};

// What a deployment that changes the name does; its detail is the record of it, and what people are shown: "blog to
// shop".
struct Renaming {
  AppName from;
  AppName to;
};
std::string detail_of(const Renaming& renaming);
std::optional<Renaming> renaming_of(const Deployment& deployment);  // absent for another kind

}  // namespace pushrod
