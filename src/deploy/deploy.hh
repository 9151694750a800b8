// The pipeline: from a change that somebody asks for to instances that serve, whole or not at all (I2).
// Deploy.cc names all the steps in order and is the only place that undoes. Any process may call it; the locks
// (one per app) see to it that one deployment at a time changes an app, and are gone with their holder. What a killed
// deployment leaves is finished or undone by whoever takes the app's lock next: reconcile(), or the next deployment.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "deploy/journal.hh"
#include "deploy/platform.hh"
#include "model/deployment.hh"

namespace pushrod {

// What is asked for: a new commit for all apps of a branch (Push), the removal of the branch (Remove), an older release
// of all of them (Rollback); or, for one app, a new build of its commit (Redeploy), or its live release once more, with
// new instances (Restart, Start), none (Stop), other numbers of them (Scale), other settings (Config), another name of
// the app (Rename), or code from elsewhere (Set).
struct Change {
  DeploymentKind kind = DeploymentKind::Push;
  RepoName repo;
  BranchName branch;
  std::vector<App> apps;             // at least one
  std::optional<CommitId> commit;    // what to run; absent for Remove
  std::optional<CommitId> previous;  // what the branch named when the change was asked for; absent: nothing
  std::string author;
  std::string detail{};  // see Deployment
  bool rebuild = false;  // Push: builds anew, even if there is a kept build (deploy/kept_build.hh)

  // What the caller records of it: called within the transaction that records the deployments, and within the one that
  // records that they are live. Rows cost nothing there; a transaction of their own costs its flushes.
  std::function<void()> on_begin{}, on_live{};

  SettingChanges settings{};                      // Config
  std::map<ProcessType, std::uint32_t> counts{};  // Scale: of the types that change
  std::optional<ProcessType> only{};              // Restart: this type alone
  std::map<AppId, ReleaseNumber> releases{};      // Rollback: which one, for each app
  std::optional<AppName> new_name{};              // Rename
  std::optional<Source> source{};                 // Set: with the repo and branch above
};

struct Outcome {
  bool live = false;
  std::string refusal;  // one line, if it is not live
};

// Runs the change to its end. Everything that goes wrong is told to the journal and in the outcome; throws only before
// anything was recorded. cancel_fd becomes readable when somebody wants it to stop (os/stop_signal.hh); that is heeded
// up to the commit point.
Outcome deploy(const Platform& platform, const Change& change, Journal& journal, int cancel_fd);

// Finishes (if its commit point was passed) or undoes a deployment whose process is gone. The caller holds the locks of
// all its apps. `why` is told as the reason of one that is undone.
void settle(const Platform& platform, std::int64_t group, const Failure& why);

// Asks the process of a deployment that is not finished to cancel it; false when there is none any more.
bool request_cancel(const Platform& platform, std::int64_t group);

// Tells the daemon that there is something to do. It looks by itself as well, now and then.
void wake_daemon(const Platform& platform);

}  // namespace pushrod
