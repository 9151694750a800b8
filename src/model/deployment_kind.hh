// What a deployment of each kind does: one table, which the steps, the store and the narration read.
// No other code compares kinds. A new kind is a row here, a caller that makes such a change, and a migration of the
// database, whose schema lists the words (store/migrations.cc).
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace pushrod {

enum class DeploymentKind {
  Push,
  Redeploy,
  Restart,
  Remove,
  Config,
  Scale,
  Stop,
  Start,
  Rollback,
  Fallback,
  Set,
  Rename,
  Restore
};

// Where its release comes from, and with it the counts: a build takes those that the app is to have.
enum class ReleaseFrom {
  Build,       // of the commit; a kept build of the same files is as good
  FreshBuild,  // of the commit, always built
  Live,        // the live release, made once more on the same checkout
  LiveIfAny,   // the same; none when the app is not deployed
  Older,       // a release that the change names, made once more on its checkout
  Nothing      // no release: the app runs nothing afterwards
};

// Where the settings of a release that is not built come from. A build takes those of the app.
enum class SettingsFrom {
  App,     // what the app is to have now, with what the change makes of it
  Release  // the release that it comes from
};

// Which instances go on beside the new ones.
enum class KeptInstances { None, Serving, Standby };

// What becomes of the branch's ref.
enum class RefChange {
  None,
  Advance,  // to the new commit, which must contain what the ref names meanwhile
  Return,   // to the commit of the older release, unless the ref names that
  Delete,
  Create  // after the commit point, at the commit that the app runs, unless the branch exists
};

// What the operator wants of the app from now on: written by the commit, from the deployment or its release.
enum class Intent {
  None,
  Settings,
  Counts,
  Source,
  Name,
  Stopped,
  Started,
  Release  // settings, counts and source, all as the older release has them; what is pending stays so
};

// While another deployment has its turn.
enum class WhileWaiting {
  Stays,       // it gets its turn; no other deployment replaces it
  Superseded,  // a newer deployment that supersedes replaces it
  Supersedes   // the same, and it replaces those that wait before it
};

// The watch of a release (model/watch.hh).
enum class WatchRule {
  None,    // ends the watch of the release before it
  Begins,  // the same, and its own release is watched, if it replaces another one
  FallsBack
};

struct DeploymentRules {
  DeploymentKind kind{};
  std::string_view word;  // in the database and in JSON: it does not change

  ReleaseFrom release = ReleaseFrom::Live;
  SettingsFrom settings = SettingsFrom::App;
  KeptInstances kept = KeptInstances::None;
  RefChange ref = RefChange::None;
  Intent intent = Intent::None;
  WhileWaiting waiting = WhileWaiting::Stays;
  WatchRule watch = WatchRule::None;
  bool whole_branch = false;  // refused unless it is about every deployed app of the branch
  bool wakes = true;          // sleeping apps serve while it prepares what replaces them

  // What the pusher reads at the beginning, with {apps}, {branch}, {commit}, {subject} (of the commit), {what} (the
  // detail), {detail} (": " and the detail, or nothing); and of each app at the end, with {app}, {new_name}, {url}.
  // No success text: that the release is live.
  std::string_view announcement{};
  std::string_view success{};
};

inline constexpr std::array<DeploymentRules, 13> kDeploymentRules{{
    {.kind = DeploymentKind::Push,
     .word = "push",
     .release = ReleaseFrom::Build,
     .ref = RefChange::Advance,
     .waiting = WhileWaiting::Supersedes,
     .watch = WatchRule::Begins,
     .whole_branch = true,
     .announcement = "Deploying {apps} at {commit} {subject}"},
    {.kind = DeploymentKind::Redeploy,
     .word = "redeploy",
     .release = ReleaseFrom::FreshBuild,
     .waiting = WhileWaiting::Superseded,
     .watch = WatchRule::Begins,
     .announcement = "Deploying {apps} at {commit} {subject}"},
    {.kind = DeploymentKind::Restart,
     .word = "restart",
     .waiting = WhileWaiting::Superseded,
     .watch = WatchRule::Begins,
     .announcement = "Restarting {apps}{detail}"},
    {.kind = DeploymentKind::Remove,
     .word = "remove",
     .release = ReleaseFrom::Nothing,
     .ref = RefChange::Delete,
     .waiting = WhileWaiting::Supersedes,
     .wakes = false,
     .announcement = "Removing branch {branch}, stopping {apps}",
     .success = "{app} is not deployed any more"},
    {.kind = DeploymentKind::Config,
     .word = "config",
     .intent = Intent::Settings,
     .watch = WatchRule::Begins,
     .announcement = "Changing the settings of {apps}{detail}"},
    {.kind = DeploymentKind::Scale,
     .word = "scale",
     .settings = SettingsFrom::Release,
     .kept = KeptInstances::Serving,
     .intent = Intent::Counts,
     .announcement = "Scaling {apps}{detail}"},
    {.kind = DeploymentKind::Stop,
     .word = "stop",
     .intent = Intent::Stopped,
     .wakes = false,
     .announcement = "Stopping {apps}{detail}",
     .success = "{app} is stopped; `start {app}` runs it again"},
    {.kind = DeploymentKind::Start, .word = "start", .intent = Intent::Started, .announcement = "Starting {apps}"},
    {.kind = DeploymentKind::Rollback,
     .word = "rollback",
     .release = ReleaseFrom::Older,
     .settings = SettingsFrom::Release,
     .ref = RefChange::Return,
     .intent = Intent::Release,
     .watch = WatchRule::Begins,
     .whole_branch = true,
     .announcement = "Rolling back {apps}{detail}"},
    {.kind = DeploymentKind::Fallback,  // a watched app does not sleep
     .word = "fallback",
     .release = ReleaseFrom::Older,
     .settings = SettingsFrom::Release,
     .kept = KeptInstances::Standby,
     .ref = RefChange::Return,
     .intent = Intent::Release,
     .watch = WatchRule::FallsBack,
     .wakes = false,
     .announcement = "Falling back: {apps}{detail}"},
    {.kind = DeploymentKind::Set,  // not watched: the release before it may come from another branch
     .word = "set",
     .release = ReleaseFrom::FreshBuild,
     .ref = RefChange::Create,
     .intent = Intent::Source,
     .announcement = "Changing where {apps} comes from{detail}"},
    {.kind = DeploymentKind::Rename,  // not watched: it is the same code
     .word = "rename",
     .release = ReleaseFrom::LiveIfAny,
     .intent = Intent::Name,
     .announcement = "Renaming {what}",
     .success = "{app} is called {new_name} now: {url}"},
    {.kind = DeploymentKind::Restore,  // not watched: the release before it belongs to other data
     .word = "restore",
     .release = ReleaseFrom::FreshBuild,
     .ref = RefChange::Return,
     .intent = Intent::Settings,
     .wakes = false,
     .announcement = "Restoring {apps}{detail}"},
}};

static_assert(
    [] {
      for (std::size_t row = 0; row < kDeploymentRules.size(); ++row) {
        if (kDeploymentRules[row].kind != static_cast<DeploymentKind>(row)) return false;
      }
      return kDeploymentRules.back().kind == DeploymentKind::Restore;
    }(),
    "a row for each kind, in the order of the kinds");

constexpr const DeploymentRules& rules_of(DeploymentKind kind) {
  return kDeploymentRules.at(static_cast<std::size_t>(kind));
}

// The others run what was built before.
constexpr bool builds(DeploymentKind kind) {
  const auto from = rules_of(kind).release;
  return from == ReleaseFrom::Build || from == ReleaseFrom::FreshBuild;
}

// Then the ref is what tells whether the commit point is passed (I1).
constexpr bool moves_ref(DeploymentKind kind) {
  const auto ref = rules_of(kind).ref;
  return ref == RefChange::Advance || ref == RefChange::Return || ref == RefChange::Delete;
}

// What changes something else of the app than its commit does not care about the ref.
constexpr bool concerns_commit(DeploymentKind kind) { return builds(kind) || rules_of(kind).ref != RefChange::None; }

// A stopped app stays stopped until it is started, also when something is deployed meanwhile.
constexpr bool runs_after(DeploymentKind kind, bool was_stopped) {
  const auto intent = rules_of(kind).intent;
  return intent == Intent::Started || (intent != Intent::Stopped && !was_stopped);
}

std::string_view to_string(DeploymentKind kind);
DeploymentKind deployment_kind_from(std::string_view text);  // throws Error

}  // namespace pushrod
