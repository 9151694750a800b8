// The database: intent and history, the truth about what should be.
// Floor 3. Beginning here, every multi-row change is one transaction; a crash leaves the one before or the one after.
//
// SQLite with the rollback journal and synchronous=EXTRA: several processes write, and the WAL-reset bug of the 3.40
// that Debian 12 ships (https://sqlite.org/wal.html) rules out WAL. Times are milliseconds since the epoch.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/app.hh"
#include "model/deployment.hh"
#include "model/release.hh"

namespace pushrod {

// What a deployment is created from.
struct DeploymentRequest {
  AppId app_id = 0;
  DeploymentKind kind = DeploymentKind::Push;
  std::optional<CommitId> commit;
  std::optional<CommitId> previous;
  std::string author;
};

// What went wrong, as it is kept with the deployment.
struct Failure {
  DeploymentState state = DeploymentState::Failed;  // or Cancelled, Superseded
  std::string error;
  std::string hint;
};

class Store {
 public:
  // Opens the database, creates it or migrates it to this program's schema. Throws UserError when it was written by a
  // newer Pushrod. Waits up to 30 s for another process's transaction.
  explicit Store(const std::filesystem::path& path);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // --- keys
  // Without apps: an administrator's key. Throws UserError when the name or the key itself is there already, or an app
  // is not there.
  Key add_key(const KeyName& name, const std::string& public_key, const std::string& fingerprint,
              const std::vector<AppName>& apps);
  void remove_key(const KeyName& name);  // throws UserError when there is none
  std::vector<Key> keys() const;
  std::optional<Key> key(std::int64_t id) const;

  // --- repos and apps
  // Creates the repo row as well when it is new. Throws UserError when the app exists.
  App add_app(const AppName& name, const RepoName& repo, const BranchName& branch, const std::string& path);
  // The app with all its rows (deployments, releases, instances); its repo too when no other app uses it.
  void remove_app(AppId id);
  std::vector<App> apps() const;
  std::vector<App> apps_of(const RepoName& repo) const;
  std::vector<App> apps_of(const RepoName& repo, const BranchName& branch) const;
  std::optional<App> app(const AppName& name) const;
  std::optional<App> app(AppId id) const;
  std::vector<RepoName> repos() const;
  bool has_repo(const RepoName& repo) const;

  // --- deployments
  // One group: numbers are taken, rows are written in state Waiting. Waiting groups of the same apps that are older are
  // superseded: their rows end as Superseded; a group that has begun to run is not touched.
  std::vector<Deployment> begin_deployments(const std::vector<DeploymentRequest>& requests);
  // Throws Error when the state table (model/deployment.hh) forbids it for one of the group; otherwise all change.
  void advance(std::int64_t group, DeploymentState to);
  void fail(std::int64_t group, const Failure& failure);
  void begin_step(std::int64_t group, Step step);
  void end_step(std::int64_t group, Step step);
  std::vector<Deployment> group(std::int64_t group) const;
  std::vector<Deployment> unfinished_deployments() const;               // of every app, oldest first
  std::vector<Deployment> deployments(AppId app, unsigned most) const;  // newest first, with steps
  std::optional<Deployment> deployment(AppId app, ReleaseNumber number) const;

  // --- releases and instances
  // Records the release that a deployment builds; it is not live until commit_group().
  void add_release(const Release& release);
  std::optional<Release> release(AppId app, ReleaseNumber number) const;
  std::vector<Release> releases(AppId app) const;  // newest first
  void remove_release(AppId app, ReleaseNumber number);

  // Takes the instances of a release into the table in state Starting and leases a port from [first, last] for each
  // routed one, none that is leased already; `is_free` probes a candidate. Throws Error when the range is exhausted.
  std::vector<Instance> add_instances(const Release& release, Port first, Port last, bool (*is_free)(Port));
  std::vector<Instance> instances() const;
  std::vector<Instance> instances(AppId app) const;
  void set_instance_state(const InstanceName& instance, InstanceState state);
  void remove_instance(const InstanceName& instance);  // gives its port back

  // The commit point of the database, one transaction for the whole group: deployment → Committed; its release (none
  // for Remove) becomes the app's live one; Starting → Serving; the other instances of those apps that serve →
  // Draining. Does nothing when it has been done already.
  void commit_group(std::int64_t group);

  // Deployment rows beyond the newest `keep` of the app that have no release and are final; returns their numbers.
  std::vector<ReleaseNumber> prune_deployments(AppId app, unsigned keep);

  // A number that changes whenever any process has committed a change (PRAGMA data_version).
  std::int64_t data_version() const;

  // Runs `PRAGMA integrity_check`; "ok" or what is wrong.
  std::string integrity() const;

 private:
  struct Database;
  std::unique_ptr<Database> db_;
};

}  // namespace pushrod
