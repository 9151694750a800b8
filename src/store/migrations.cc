// The migrations, in their order. A migration is never changed once it is released; a new one is added at the end.
#include "store/migrations.hh"

#include <array>

namespace pushrod {

namespace {

// Watched releases: instances on standby, fallbacks, and which release is watched.
constexpr const char* kWatch = R"sql(
CREATE TABLE new_deployments (
  app_id INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
  number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 4294967295),
  group_id INTEGER NOT NULL REFERENCES deployment_groups,
  kind TEXT NOT NULL CHECK (kind IN
    ('push', 'redeploy', 'restart', 'remove', 'config', 'scale', 'stop', 'start', 'rollback', 'fallback', 'set', 'rename')),
  commit_id TEXT CHECK (length(commit_id) = 40),
  previous TEXT CHECK (length(previous) = 40),
  detail TEXT NOT NULL DEFAULT '',
  holds INTEGER NOT NULL DEFAULT 0 CHECK (holds IN (0, 1)),
  author TEXT NOT NULL,
  error TEXT NOT NULL DEFAULT '',
  hint TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (app_id, number),
  CHECK ((commit_id IS NULL) = (kind = 'remove') OR kind = 'rename')
) STRICT, WITHOUT ROWID;
INSERT INTO new_deployments
  SELECT app_id, number, group_id, kind, commit_id, previous, detail, holds, author, error, hint FROM deployments;
DROP TABLE deployments;
ALTER TABLE new_deployments RENAME TO deployments;
CREATE UNIQUE INDEX deployments_by_group ON deployments (group_id, app_id);
CREATE TRIGGER empty_groups AFTER DELETE ON deployments
WHEN NOT EXISTS (SELECT 1 FROM deployments WHERE group_id = old.group_id)
BEGIN
  DELETE FROM deployment_groups WHERE id = old.group_id;
END;

CREATE TABLE new_instances (
  app_id INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
  release INTEGER NOT NULL,
  type TEXT NOT NULL,
  number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 4294967295),
  port INTEGER UNIQUE CHECK (port BETWEEN 1 AND 65535),
  state TEXT NOT NULL CHECK (state IN ('starting', 'serving', 'asleep', 'standby', 'draining', 'stopping')),
  since INTEGER NOT NULL,
  kept_by INTEGER,
  PRIMARY KEY (app_id, release, type, number),
  FOREIGN KEY (app_id, release) REFERENCES releases (app_id, number)
) STRICT, WITHOUT ROWID;
INSERT INTO new_instances SELECT app_id, release, type, number, port, state, since, kept_by FROM instances;
DROP TABLE instances;
ALTER TABLE new_instances RENAME TO instances;

-- previous: the release that the app falls back to. failure: why it does; '' while all is well (model/watch.hh).
CREATE TABLE watches (
  app_id INTEGER PRIMARY KEY REFERENCES apps ON DELETE CASCADE,
  group_id INTEGER NOT NULL,
  release INTEGER NOT NULL,
  previous INTEGER NOT NULL,
  failure TEXT NOT NULL DEFAULT ''
) STRICT;
)sql";

// Further ports, paths that an app may write to; where a release's code comes from; apps that get another name.
constexpr const char* kSources = R"sql(
ALTER TABLE apps ADD COLUMN config TEXT NOT NULL DEFAULT '';
ALTER TABLE apps ADD COLUMN build_root TEXT;

ALTER TABLE releases ADD COLUMN writable TEXT NOT NULL DEFAULT '[]';
ALTER TABLE releases ADD COLUMN repo TEXT NOT NULL DEFAULT '';
ALTER TABLE releases ADD COLUMN branch TEXT NOT NULL DEFAULT '';
ALTER TABLE releases ADD COLUMN path TEXT NOT NULL DEFAULT '';
ALTER TABLE releases ADD COLUMN config TEXT NOT NULL DEFAULT '';
ALTER TABLE releases ADD COLUMN build_root TEXT;
ALTER TABLE releases ADD COLUMN manifest_root INTEGER NOT NULL DEFAULT 0 CHECK (manifest_root IN (0, 1));
UPDATE releases SET (repo, branch, path) =
  (SELECT r.name, a.branch, a.path FROM apps a JOIN repos r ON r.id = a.repo_id WHERE a.id = releases.app_id);

-- The name under which the instance was started: it keeps it when its app gets another.
ALTER TABLE instances ADD COLUMN app TEXT NOT NULL DEFAULT '';
UPDATE instances SET app = (SELECT name FROM apps WHERE id = instances.app_id);
CREATE UNIQUE INDEX instances_by_name ON instances (app, release, type, number);

-- listed: the number in the app's files. port: what the instance listens on instead.
CREATE TABLE instance_ports (
  app_id INTEGER NOT NULL,
  release INTEGER NOT NULL,
  type TEXT NOT NULL,
  number INTEGER NOT NULL,
  listed INTEGER NOT NULL CHECK (listed BETWEEN 1 AND 65535),
  port INTEGER NOT NULL UNIQUE CHECK (port BETWEEN 1 AND 65535),
  PRIMARY KEY (app_id, release, type, number, listed),
  FOREIGN KEY (app_id, release, type, number) REFERENCES instances (app_id, release, type, number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
)sql";

// Commands of jobs may hold secrets: they are sealed (store/vault.hh) while the job runs, and then forgotten. Those
// that were kept in the clear are forgotten.
constexpr const char* kSealedCommands = R"sql(
ALTER TABLE jobs ADD COLUMN sealed_command BLOB NOT NULL DEFAULT x'';
ALTER TABLE jobs DROP COLUMN command;
)sql";

// Routes of apps beside <app>.<domain>, and certificates.
constexpr const char* kDomains = R"sql(
CREATE TABLE domains (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  app_id INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
  host TEXT NOT NULL,
  prefix TEXT NOT NULL,
  strip_prefix INTEGER NOT NULL CHECK (strip_prefix IN (0, 1)),
  redirect_to TEXT,
  hsts INTEGER CHECK (hsts >= 0),
  added INTEGER NOT NULL,
  UNIQUE (host, prefix)
) STRICT;
CREATE INDEX domains_by_app ON domains (app_id);

-- names: one a line.
CREATE TABLE certificates (
  host TEXT PRIMARY KEY,
  source TEXT NOT NULL CHECK (source IN ('operator', 'acme')),
  names TEXT NOT NULL,
  issuer TEXT NOT NULL,
  serial TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  not_before INTEGER NOT NULL,
  not_after INTEGER NOT NULL,
  added INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// Orders for certificates, for as long as they count (model/acme.hh); and the hosts for which one was asked for.
constexpr const char* kAcme = R"sql(
CREATE TABLE acme_orders (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  host TEXT NOT NULL,
  renews INTEGER NOT NULL CHECK (renews IN (0, 1)),
  begun INTEGER NOT NULL,
  ended INTEGER,
  error TEXT NOT NULL DEFAULT '',
  not_before INTEGER
) STRICT;
CREATE TABLE acme_requests (
  host TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
)sql";

// Databases and the like beside apps (model/service.hh). A setting of an app may come from one of them.
constexpr const char* kServices = R"sql(
CREATE TABLE services (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  version TEXT NOT NULL,
  memory INTEGER NOT NULL CHECK (memory > 0),
  state TEXT NOT NULL CHECK (state IN ('creating', 'running', 'stopped', 'destroying')),
  sealed_password BLOB NOT NULL,
  declared_by INTEGER,
  group_id INTEGER,
  created INTEGER NOT NULL
) STRICT;
-- The app may be gone: its account in the service is closed afterwards.
CREATE TABLE service_attachments (
  service_id INTEGER NOT NULL REFERENCES services ON DELETE CASCADE,
  app_id INTEGER NOT NULL,
  app TEXT NOT NULL,
  key TEXT NOT NULL,
  prefix TEXT NOT NULL,
  role TEXT NOT NULL,
  database TEXT NOT NULL,
  made_database INTEGER NOT NULL CHECK (made_database IN (0, 1)),
  state TEXT NOT NULL CHECK (state IN ('attaching', 'attached', 'leaving')),
  group_id INTEGER,
  PRIMARY KEY (service_id, app_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX service_attachments_by_app ON service_attachments (app_id);
ALTER TABLE app_settings ADD COLUMN service_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE release_settings ADD COLUMN service_id INTEGER NOT NULL DEFAULT 0;
)sql";

// Their bytes are still in unused parts of the file, and in the journal.
constexpr const char* kForget = "VACUUM; PRAGMA journal_mode = DELETE; PRAGMA journal_mode = PERSIST";

// What a release mounts beside /app: until now, a virtualenv, if its environment named one.
constexpr const char* kMounts = R"sql(
ALTER TABLE releases ADD COLUMN mounts TEXT NOT NULL DEFAULT '[]';
UPDATE releases
  SET mounts = '[{"building":"write","directory":"venv","path":"/venv","running":"read"}]'
  WHERE EXISTS (SELECT 1 FROM release_environment e
                WHERE e.app_id = releases.app_id AND e.number = releases.number
                  AND e.name = 'VIRTUAL_ENV' AND e.value = '/venv');
)sql";

// Apps that are being imported. certificates: hosts, one a line.
constexpr const char* kImports = R"sql(
CREATE TABLE imports (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  transfer TEXT NOT NULL,
  repo TEXT NOT NULL,
  makes_repo INTEGER NOT NULL CHECK (makes_repo IN (0, 1)),
  app_id INTEGER,
  certificates TEXT NOT NULL DEFAULT ''
) STRICT;
)sql";

// app: key_of() what it is of (model/backup.hh).
constexpr const char* kBackups = R"sql(
CREATE TABLE backup_targets (
  name TEXT PRIMARY KEY,
  url TEXT NOT NULL,
  sealed BLOB NOT NULL,
  added INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE backup_schedules (
  app TEXT PRIMARY KEY,
  target TEXT NOT NULL REFERENCES backup_targets,
  schedule TEXT NOT NULL,
  keep_count INTEGER NOT NULL CHECK (keep_count >= 1),
  keep_seconds INTEGER NOT NULL CHECK (keep_seconds >= 0),
  seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE backup_runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  app TEXT NOT NULL,
  target TEXT NOT NULL,
  started INTEGER NOT NULL,
  ended INTEGER,
  error TEXT NOT NULL DEFAULT '',
  bytes INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX backup_runs_by_app ON backup_runs (app, id);
)sql";

// Who may send requests to an app. Sealed (store/vault.hh).
constexpr const char* kAccessRules = R"sql(
CREATE TABLE access_rules (
  app_id INTEGER PRIMARY KEY REFERENCES apps ON DELETE CASCADE,
  sealed BLOB NOT NULL
) STRICT;
)sql";

// A backup in the place of the app as it is.
constexpr const char* kRestore = R"sql(
CREATE TABLE new_deployments (
  app_id INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
  number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 4294967295),
  group_id INTEGER NOT NULL REFERENCES deployment_groups,
  kind TEXT NOT NULL CHECK (kind IN
    ('push', 'redeploy', 'restart', 'remove', 'config', 'scale', 'stop', 'start', 'rollback', 'fallback', 'set', 'rename',
     'restore')),
  commit_id TEXT CHECK (length(commit_id) = 40),
  previous TEXT CHECK (length(previous) = 40),
  detail TEXT NOT NULL DEFAULT '',
  holds INTEGER NOT NULL DEFAULT 0 CHECK (holds IN (0, 1)),
  author TEXT NOT NULL,
  error TEXT NOT NULL DEFAULT '',
  hint TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (app_id, number),
  CHECK ((commit_id IS NULL) = (kind = 'remove') OR kind = 'rename')
) STRICT, WITHOUT ROWID;
INSERT INTO new_deployments
  SELECT app_id, number, group_id, kind, commit_id, previous, detail, holds, author, error, hint FROM deployments;
DROP TABLE deployments;
ALTER TABLE new_deployments RENAME TO deployments;
CREATE UNIQUE INDEX deployments_by_group ON deployments (group_id, app_id);
CREATE TRIGGER empty_groups AFTER DELETE ON deployments
WHEN NOT EXISTS (SELECT 1 FROM deployments WHERE group_id = old.group_id)
BEGIN
  DELETE FROM deployment_groups WHERE id = old.group_id;
END;
)sql";

// Which programs get a setting (model/app_setting.hh).
constexpr const char* kSettingScopes = R"sql(
ALTER TABLE app_settings ADD COLUMN scope TEXT NOT NULL DEFAULT 'both' CHECK (scope IN ('both', 'build', 'run'));
ALTER TABLE release_settings ADD COLUMN scope TEXT NOT NULL DEFAULT 'both' CHECK (scope IN ('both', 'build', 'run'));
)sql";

// Of DNS providers, for certificates of wildcards (model/acme.hh). zone: '' is every zone without a row. sealed: the
// provider's variables (store/vault.hh).
constexpr const char* kDnsCredentials = R"sql(
CREATE TABLE dns_credentials (
  zone TEXT PRIMARY KEY,
  provider TEXT NOT NULL,
  sealed BLOB NOT NULL,
  added INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// Another account for an app that is attached: the one that its next release has, and the one that its last had. And a
// service whose server becomes another version, or was one (services/upgrade.hh).
constexpr const char* kServiceChanges = R"sql(
ALTER TABLE service_attachments ADD COLUMN next_role TEXT NOT NULL DEFAULT '';
ALTER TABLE service_attachments ADD COLUMN former_role TEXT NOT NULL DEFAULT '';
ALTER TABLE services ADD COLUMN upgrade TEXT NOT NULL DEFAULT '';
ALTER TABLE services ADD COLUMN former_version TEXT NOT NULL DEFAULT '';
)sql";

// With which builds fetch private repositories (model/deploy_key.hh).
constexpr const char* kDeployKeys = R"sql(
CREATE TABLE deploy_keys (
  app_id INTEGER PRIMARY KEY REFERENCES apps ON DELETE CASCADE,
  public_key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  sealed BLOB NOT NULL,
  known_hosts TEXT NOT NULL DEFAULT ''
) STRICT;
)sql";

// Attachments over TCP: a port on 127.0.0.1 that leads to the socket.
constexpr const char* kServicePorts = R"sql(
ALTER TABLE service_attachments ADD COLUMN port INTEGER;
CREATE UNIQUE INDEX service_attachments_by_port ON service_attachments (port) WHERE port IS NOT NULL;
)sql";

// What the data of a service may take, and what it took when that was too much; 0: nothing.
constexpr const char* kServiceLimits = R"sql(
ALTER TABLE services ADD COLUMN disk INTEGER NOT NULL DEFAULT 0;
ALTER TABLE services ADD COLUMN cpu_percent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE services ADD COLUMN over_disk INTEGER NOT NULL DEFAULT 0;
)sql";

// Directories of the machine that a release mounts (model/host_mount.hh).
constexpr const char* kHostMounts = R"sql(
ALTER TABLE releases ADD COLUMN host_mounts TEXT NOT NULL DEFAULT '[]';
)sql";

}  // namespace

std::span<const Migration> migrations() {
  static const std::array<Migration, 21> kAll{
      {{kFirstTables},  {kOperatingTables}, {kWatch},         {kSources},        {kSealedCommands}, {kForget, false},
       {kMounts},       {kDomains},         {kAcme},          {kImports},        {kBackups},        {kAccessRules},
       {kServices},     {kRestore},         {kSettingScopes}, {kDnsCredentials}, {kServiceChanges}, {kDeployKeys},
       {kServicePorts}, {kServiceLimits},   {kHostMounts}}};
  return kAll;
}

}  // namespace pushrod
