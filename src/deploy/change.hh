// A change that a caller asks for, and that deploy() carries out. A plain value: change_message.hh sends it to another
// process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/app_setting.hh"
#include "model/deployment.hh"
#include "model/service.hh"
#include "model/source.hh"

namespace pushrod {

// To a service: an app is attached to it, or no longer, or gets another account.
struct ServiceChange {
  enum class Kind { Attach, Detach, Rotate };
  ServiceName service;
  Kind kind = Kind::Attach;
  std::string prefix{}, database{};
  bool tcp = false;
};

// What is asked for: a new commit for all apps of a branch (Push), the removal of the branch (Remove), an older release
// of all of them (Rollback); or, for one app, the commit, settings and /data of a backup (Restore), a new build of its
// commit (Redeploy), or its live release once more, with new instances (Restart, Start), none (Stop), other numbers of
// them (Scale), other settings (Config), another name of the app (Rename), or code from elsewhere (Set).
struct Change {
  DeploymentKind kind = DeploymentKind::Push;
  RepoName repo;
  BranchName branch;
  std::vector<App> apps;             // at least one
  std::optional<CommitId> commit;    // what to run; absent for Remove
  std::optional<CommitId> previous;  // what the branch named when the change was asked for; absent: nothing
  std::string author;
  std::string detail{};   // see Deployment
  bool rebuild = false;   // Push: builds anew, even if there is a kept build (deploy/kept_build.hh)
  bool no_cache = false;  // Push, Redeploy: the same, without layers and caches of earlier builds

  SettingChanges settings{};                      // Config, Restore
  std::optional<ServiceChange> service{};         // Config: in addition
  std::map<ProcessType, std::uint32_t> counts{};  // Scale: of the types that change
  std::optional<ProcessType> only{};              // Restart: this type alone
  std::map<AppId, ReleaseNumber> releases{};      // Rollback: which one, for each app
  std::optional<AppName> new_name{};              // Rename
  std::optional<Source> source{};                 // Set: with the repo and branch above
  std::optional<std::filesystem::path> data{};    // Restore, Rollback: what becomes /data, in a directory of the root
  std::map<ServiceId, std::filesystem::path> dumps{};  // with `data`: what becomes the app's databases
  bool keeps_snapshot = false;                         // with `data`: of what was there before
  std::optional<std::int64_t> watched{};               // Fallback: the deployment that made what is failing
};

}  // namespace pushrod
