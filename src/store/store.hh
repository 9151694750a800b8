// The database: intent and history, the truth about what should be.
// Beginning here, every multi-row change is one transaction; a crash leaves the one before or the one after.
//
// SQLite with the rollback journal and synchronous=EXTRA: several processes write, and the WAL-reset bug of the 3.40
// that Debian 12 ships (https://sqlite.org/wal.html) rules out WAL. Times are milliseconds since the epoch.
// Every function throws Error, naming the file and what to do, when the database is busy, damaged, full or read-only.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/access_rules.hh"
#include "model/acme.hh"
#include "model/app.hh"
#include "model/audit.hh"
#include "model/backup.hh"
#include "model/certificate.hh"
#include "model/deploy_key.hh"
#include "model/deployment.hh"
#include "model/domain.hh"
#include "model/job.hh"
#include "model/release.hh"
#include "model/service.hh"
#include "model/watch.hh"
#include "store/vault.hh"

namespace pushrod {

// What a deployment is created from.
struct DeploymentRequest {
  AppId app_id = 0;
  DeploymentKind kind = DeploymentKind::Push;
  std::optional<CommitId> commit;
  std::optional<CommitId> previous;
  std::string author;
  std::string detail{};  // see Deployment
};

// What went wrong, as it is kept with the deployment.
struct Failure {
  DeploymentState state = DeploymentState::Failed;  // or Cancelled, Superseded
  std::string error;
  std::string hint;
};

// An app that is being imported: not there before it is live.
struct Import {
  std::int64_t id = 0;
  std::string transfer;  // whose process imports it
  RepoName repo;
  bool makes_repo = false;
  std::optional<AppId> app;            // absent: its row has not been made
  std::vector<HostName> certificates;  // that came with it
};

// One line of `app list`.
struct AppSummary {
  struct Last {
    ReleaseNumber number = 0;
    DeploymentState state = DeploymentState::Waiting;
    DeploymentKind kind = DeploymentKind::Push;
    WallTime started;
    std::optional<WallTime> ended;
  };
  App app;
  std::optional<Last> last;       // its newest deployment; absent: never deployed
  unsigned instances_wanted = 0;  // those that are to serve
};

// One connection. Not thread-safe, and not to be used on both sides of a fork().
class Store {
 public:
  // Opens the database, creates it (mode 0600) or migrates it to this program's schema; one that is up to date is not
  // written to. Throws UserError when it was written by a newer Pushrod. Every call waits up to `patience` for another
  // process's transaction.
  explicit Store(const std::filesystem::path& path, Milliseconds patience = Milliseconds{30'000});
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Runs these calls as one transaction, all or none: a commit costs its flushes, however many rows it changes. An
  // exception undoes all; when `changes` catches one that a call threw, nothing can be kept any more, and Error
  // follows.
  void together(const std::function<void()>& changes);

  // --- keys
  // Without apps: for all of them. Throws UserError when the name or the key itself is there already, or an app
  // is not there.
  Key add_key(const KeyName& name, const std::string& public_key, const std::string& fingerprint, Role role,
              const std::vector<AppName>& apps);
  // The role, and without apps: for all of them. Throws UserError when there is no such key or app.
  Key set_key(const KeyName& name, Role role, const std::vector<AppName>& apps);
  void remove_key(const KeyName& name);  // throws UserError when there is none
  std::vector<Key> keys() const;
  std::optional<Key> key(std::int64_t id) const;

  // --- repos and apps
  // Creates the repo row as well when it is new. Throws UserError when the app exists.
  App add_app(const AppName& name, const Source& source);
  // For an app that is not deployed; that of others changes in the commit of a deployment of kind Set.
  void set_source(AppId app, const Source& source);
  // The app with all its rows (deployments, releases, instances); its repo too when no other app uses it.
  void remove_app(AppId id);
  std::vector<App> apps() const;  // by name, as all lists of apps
  std::vector<AppSummary> app_summaries() const;
  std::vector<App> apps_of(const RepoName& repo) const;
  std::vector<App> apps_of(const RepoName& repo, const BranchName& branch) const;
  std::optional<App> app(const AppName& name) const;
  std::optional<App> app(AppId id) const;
  // How many instances of which types the operator wants; the app's files decide for the others.
  std::map<ProcessType, std::uint32_t> counts(AppId app) const;
  // For types that the live release does not have; a deployment of kind Scale sets those of the others.
  void set_counts(AppId app, const std::map<ProcessType, std::uint32_t>& counts);
  // For an app that is not deployed; of others, deployments of the kinds Stop and Start change it.
  void set_stopped(AppId app, bool stopped);
  // The page is for clients, as they get it; empty: the usual one.
  void set_maintenance(AppId app, Maintenance maintenance, const std::string& page);
  std::string maintenance_page(AppId app) const;
  // What the next release gets. A deployment that changes settings (Intent in model/deployment_kind.hh) replaces them
  // by those of its release.
  AppSettings settings(AppId app) const;
  // What seals and opens their values; its key (settings.key beside the database) is made when it is first needed.
  const Vault& vault() const;
  // Who may send requests to apps: only apps with rules. Rules that cannot be opened let in nobody, and other apps go
  // on.
  std::map<AppId, AccessRules> access_rules() const;
  void set_access_rules(AppId app, const AccessRules& rules);
  void set_settings(AppId app, const AppSettings& settings);
  // The key of its builds, and the servers that they have met. Throws UserError for one that cannot be opened.
  std::optional<DeployKey> deploy_key(AppId app) const;
  void set_deploy_key(AppId app, const DeployKey& key);
  void set_known_hosts(AppId app, const std::string& known_hosts);
  std::vector<RepoName> repos() const;

  // --- imports (deploy/import.hh): what a process that was killed has left is found here
  std::int64_t begin_import(const std::string& transfer, const RepoName& repo, bool makes_repo);
  void set_import_app(std::int64_t id, AppId app);
  void set_import_certificates(std::int64_t id, const std::vector<HostName>& hosts);
  void end_import(std::int64_t id);
  std::vector<Import> imports() const;

  // --- backups (model/backup.hh)
  std::vector<BackupTarget> backup_targets() const;
  void add_backup_target(const BackupTarget& target);    // throws UserError when there is one of this name
  void remove_backup_target(const std::string& name);    // with its schedules
  std::vector<BackupSchedule> backup_schedules() const;  // that of all comes first
  void set_backup_schedule(const BackupSchedule& schedule);
  void remove_backup_schedule(const BackupSubject& of);
  // The caller holds the target's lock: runs of it that have not ended were killed, and are recorded as such.
  std::int64_t begin_backup(const BackupSubject& of, const std::string& target);
  void end_backup(std::int64_t id, std::uint64_t bytes, const std::string& error);  // empty: it is good
  std::vector<BackupRun> backup_runs(const BackupSubject& of) const;                // the newest first

  // --- domains
  std::vector<Domain> domains(std::optional<AppId> app = {}) const;  // by host and prefix
  // Adds it, or gives the app's domain at this point these options. The caller has found, in the same transaction
  // (together()), that no other app has it.
  void set_domain(AppId app, const Route& route);
  void remove_domain(AppId app, const RoutePoint& point);

  // --- certificates
  std::vector<Certificate> certificates() const;  // by host
  std::optional<Certificate> certificate(const HostName& host) const;
  void set_certificate(const Certificate& certificate);  // in place of the host's one
  void remove_certificate(const HostName& host);
  std::vector<AcmeOrder> acme_orders() const;  // oldest first
  std::int64_t begin_acme_order(const HostName& host, bool renews);
  // An empty error: it brought a certificate. What was requested for its host is done, either way.
  void end_acme_order(std::int64_t id, const std::string& error, std::optional<WallTime> not_before = {});
  void drop_acme_orders(WallTime before);
  std::set<HostName> acme_requests() const;
  void request_certificate(const HostName& host);
  std::vector<DnsCredentials> dns_credentials() const;          // by zone
  void set_dns_credentials(const DnsCredentials& credentials);  // in place of the zone's
  void remove_dns_credentials(const std::string& zone);

  // --- deployments
  // One group: numbers are taken, rows are written in state Waiting. A kind that supersedes ends older groups of the
  // same apps that still wait, if their kind allows it, as Superseded. In the order of the requests.
  std::vector<Deployment> begin_deployments(const std::vector<DeploymentRequest>& requests);
  // Throws Error when the state table (model/deployment.hh) forbids it; otherwise the whole group changes. Does nothing
  // when it is in that state already. Committed is reached through commit_group() alone. `begins` is begin_step() in
  // the same transaction: a commit costs 0.7 ms. The end of a deployment ends its running step.
  void advance(std::int64_t group, DeploymentState to, std::optional<Step> begins = {});
  // Ends the group in the state of the failure. Does nothing when it is in that state already.
  void fail(std::int64_t group, const Failure& failure);
  // Also ends the step that runs now. A step that is begun again goes on. Does nothing when the group is finished.
  void begin_step(std::int64_t group, Step step);
  // What a deployment runs, if that has changed while it waited.
  void set_commit(AppId app, ReleaseNumber deployment, const CommitId& commit);
  // Do requests wait until the deployments of the group are finished, or until they hold no more?
  void set_holding(std::int64_t group, bool holds);
  std::vector<Deployment> group(std::int64_t group) const;
  std::vector<Deployment> unfinished_deployments() const;               // of every app, oldest first
  std::vector<Deployment> deployments(AppId app, unsigned most) const;  // newest first, with steps
  std::optional<Deployment> deployment(AppId app, ReleaseNumber number) const;

  // --- releases and instances
  // Records the release that a deployment builds; it is not live until commit_group(). Recording the same number again
  // replaces it as long as it is not live.
  void add_release(const Release& release);
  std::optional<Release> release(AppId app, ReleaseNumber number) const;
  std::vector<Release> releases(AppId app) const;  // newest first
  std::set<std::string> mounted_layers() const;    // by the releases of all apps
  // Throws Error when it is live or has instances; does nothing when there is none.
  void remove_release(AppId app, ReleaseNumber number);

  // Takes the instances of a release into the table in state Starting and leases ports from [first, last]: one for each
  // routed instance, and one for each further port of its process. `is_free` probes a candidate that is not leased. A
  // port that was given back is leased again as late as possible. Instances that are in the table already stay as they
  // are. Throws Error when the range is exhausted, and then has taken none. `kept`: instances of older releases that go
  // on with this one, under their names; their numbers are taken.
  std::vector<Instance> add_instances(const Release& release, const std::vector<InstanceName>& kept, Port first,
                                      Port last, bool (*is_free)(Port));
  std::vector<Instance> instances() const;
  // Releases with a sticky type, of those that have instances with a port; and those with a type that speaks HTTP/2.
  std::set<std::pair<AppId, ReleaseNumber>> sticky_releases() const;
  std::set<std::pair<AppId, ReleaseNumber>> h2_releases() const;
  // What the live releases of apps say of HTTP; without those that say nothing.
  std::map<AppId, HttpRules> http_rules() const;
  std::vector<Instance> instances(AppId app) const;
  // Instances that are not in the table are passed over. The plural forms are one transaction.
  void set_instance_state(const InstanceName& instance, InstanceState state);
  void set_instance_states(const std::vector<InstanceName>& instances, InstanceState state);
  void remove_instance(const InstanceName& instance);  // gives its port back
  void remove_instances(const std::vector<InstanceName>& instances);

  // The commit point of the database, one transaction for the whole group: deployment → Committed; its release (none
  // for Remove) becomes the app's live one; Starting → Serving; the other instances of those apps that serve and are
  // not kept → Draining (or Standby: see watches); the rows of those that sleep are removed; settings, counts, source,
  // name and `stopped` of the apps change as the kind's Intent says. Does nothing when it has been done already.
  // `begins`: as for advance().
  void commit_group(std::int64_t group, std::optional<Step> begins = {});

  // --- watches (model/watch.hh)
  // commit_group() begins the watch of a group whose kind is watched and whose apps all had a live release and are not
  // stopped. Their routed instances that could go on serving become Standby instead of Draining. The commit of a
  // fallback takes them back and ends the watch.
  std::vector<Watch> watches() const;  // of one group together
  std::optional<Watch> watch(AppId app) const;
  // From now on the group is failing. The first reason stays.
  void fail_watch(std::int64_t group, const std::string& failure);
  // Standby → Draining; release_standby() goes on watching.
  void release_standby(std::int64_t group);
  void end_watch(std::int64_t group);

  // Deployment rows beyond the newest `keep` of the app that have no release and are final; returns their numbers.
  std::vector<ReleaseNumber> prune_deployments(AppId app, unsigned keep);

  // --- the audit
  // Records what is about to be done (at: now), and later how it ended; returns the row's id.
  std::int64_t begin_audit(const AuditEntry& entry);
  void end_audit(std::int64_t id, const std::string& outcome);
  // The newest first.
  std::vector<AuditEntry> audit(unsigned most, const std::function<bool(const AuditEntry&)>& wanted) const;
  void prune_audit(unsigned keep);

  // --- jobs (model/job.hh) and the clocks of cron jobs
  // A job of the app's live release; throws UserError when it has none.
  Job add_job(AppId app, JobKind kind, const std::string& name, const std::vector<std::string>& command,
              const std::string& author);
  // Does nothing when it has ended already.
  void end_job(JobId id, std::optional<int> exit_code, const std::string& outcome);
  std::optional<Job> job(JobId id) const;
  // What it runs, exactly as it is executed: sealed while it runs, and forgotten at its end; then it is empty. Throws
  // UserError when the vault cannot open it.
  std::vector<std::string> job_command(const Job& job) const;
  std::vector<Job> running_jobs() const;                                           // those without an end
  std::vector<Job> jobs(AppId app, const std::string& name, unsigned most) const;  // newest first
  std::vector<Job> jobs(AppId app, JobKind kind, unsigned most) const;             // newest first
  // Forgets what has ended, but for the newest `keep` of each kind and name; returns what was forgotten.
  std::vector<Job> prune_jobs(AppId app, unsigned keep);
  std::vector<CronState> cron_states(AppId app) const;
  void set_cron_state(AppId app, const CronState& state);  // does nothing when the app is not there
  void remove_cron_state(AppId app, const std::string& name);

  // --- services (model/service.hh)
  // In state Creating; returns it with its id and time. Throws UserError when the name is taken.
  BackingService add_service(const BackingService& service);
  std::vector<BackingService> services() const;  // by name
  std::optional<BackingService> service(const ServiceName& name) const;
  std::optional<BackingService> service(ServiceId id) const;
  // These do nothing when it is not there.
  void set_service_state(ServiceId service, ServiceState state);
  void set_service_limits(const BackingService& service);  // memory, disk, processor
  void set_service_over_disk(ServiceId service, std::uint64_t bytes);
  // That its server becomes another version, by a mark; empty: no longer.
  void set_service_upgrade(ServiceId service, const std::string& mark);
  // Which version it is, and whose data is kept beside it; no upgrade is under way any more.
  void set_service_versions(ServiceId service, const std::string& version, const std::string& former);
  void remove_service(ServiceId service);              // with its attachments
  std::vector<ServiceAttachment> attachments() const;  // by the app's name
  std::vector<ServiceAttachment> attachments_to(ServiceId service) const;
  std::vector<ServiceAttachment> attachments_of(AppId app) const;
  void set_attachment(const ServiceAttachment& attachment);  // in place of that of this service and app
  // The same, and leases a port for it: see add_instances().
  void set_attachment_with_port(ServiceAttachment& attachment, Port first, Port last, bool (*is_free)(Port));
  void remove_attachment(ServiceId service, AppId app);
  // With a commit: settings of services that the group attaches become the app's; an attachment of these apps is
  // Attached if a setting of its app comes from its service, and Leaving otherwise; services that the group has made
  // stay.
  void follow_attachments(std::int64_t group);
  // The same after the settings of an app that is not deployed were changed.
  void follow_attachments_of(AppId app);
  // When it has failed: what it attached is Leaving, what it made Destroying.
  void undo_attachments(std::int64_t group);

  // A number that changes whenever any process has committed a change, this one included. It means nothing to another
  // connection.
  std::int64_t data_version() const;

  // Runs `PRAGMA integrity_check` and `foreign_key_check`; "ok" or what is wrong, a line each.
  std::string integrity() const;

 private:
  struct Database;
  std::unique_ptr<Database> db_;
  std::filesystem::path key_file_;
  mutable std::unique_ptr<Vault> vault_;
};

}  // namespace pushrod
