// The first two migrations: repos, apps, keys, deployments, releases, instances; then all that operating apps needs.
//
// Deployments of one group share their state and their steps by sharing a row of deployment_groups. Identities are
// never used twice (AUTOINCREMENT), so the id of a destroyed app never names another app.
#include "store/migrations.hh"

namespace pushrod {

const char* const kFirstTables = R"sql(
CREATE TABLE repos (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE apps (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  repo_id INTEGER NOT NULL REFERENCES repos,
  branch TEXT NOT NULL,
  path TEXT NOT NULL,
  live INTEGER,
  last_number INTEGER NOT NULL DEFAULT 0 CHECK (last_number BETWEEN 0 AND 4294967295),
  created INTEGER NOT NULL,
  FOREIGN KEY (id, live) REFERENCES releases (app_id, number)
) STRICT;
CREATE INDEX apps_by_branch ON apps (repo_id, branch);

CREATE TABLE keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  public_key TEXT NOT NULL UNIQUE,
  fingerprint TEXT NOT NULL,
  admin INTEGER NOT NULL CHECK (admin IN (0, 1)),
  created INTEGER NOT NULL
) STRICT;
CREATE TABLE key_apps (
  key_id INTEGER NOT NULL REFERENCES keys ON DELETE CASCADE,
  app_id INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
  PRIMARY KEY (key_id, app_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX key_apps_by_app ON key_apps (app_id);

CREATE TABLE deployment_groups (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  state TEXT NOT NULL CHECK (state IN
    ('waiting', 'running', 'ready', 'committed', 'live', 'failed', 'cancelled', 'superseded')),
  started INTEGER NOT NULL,
  ended INTEGER,
  CHECK ((ended IS NULL) = (state IN ('waiting', 'running', 'ready', 'committed')))
) STRICT;
CREATE INDEX deployment_groups_unfinished ON deployment_groups (id)
  WHERE state IN ('waiting', 'running', 'ready', 'committed');

CREATE TABLE steps (
  id INTEGER PRIMARY KEY,
  group_id INTEGER NOT NULL REFERENCES deployment_groups ON DELETE CASCADE,
  step TEXT NOT NULL CHECK (step IN
    ('wait', 'checkout', 'build', 'release', 'start', 'health', 'commit', 'switch')),
  started INTEGER NOT NULL,
  ended INTEGER,
  UNIQUE (group_id, step)
) STRICT;

CREATE TABLE deployments (
  app_id INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
  number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 4294967295),
  group_id INTEGER NOT NULL REFERENCES deployment_groups,
  kind TEXT NOT NULL CHECK (kind IN ('push', 'redeploy', 'restart', 'remove')),
  commit_id TEXT CHECK (length(commit_id) = 40),
  previous TEXT CHECK (length(previous) = 40),
  author TEXT NOT NULL,
  error TEXT NOT NULL DEFAULT '',
  hint TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (app_id, number),
  CHECK ((commit_id IS NULL) = (kind = 'remove'))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX deployments_by_group ON deployments (group_id, app_id);

CREATE TRIGGER empty_groups AFTER DELETE ON deployments
WHEN NOT EXISTS (SELECT 1 FROM deployments WHERE group_id = old.group_id)
BEGIN
  DELETE FROM deployment_groups WHERE id = old.group_id;
END;

CREATE TABLE releases (
  app_id INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
  number INTEGER NOT NULL,
  commit_id TEXT NOT NULL CHECK (length(commit_id) = 40),
  checkout INTEGER NOT NULL CHECK (checkout BETWEEN 1 AND 4294967295),
  builder TEXT NOT NULL,
  processes TEXT NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY (app_id, number),
  FOREIGN KEY (app_id, number) REFERENCES deployments (app_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE release_environment (
  app_id INTEGER NOT NULL,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (app_id, number, name),
  FOREIGN KEY (app_id, number) REFERENCES releases (app_id, number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE instances (
  app_id INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
  release INTEGER NOT NULL,
  type TEXT NOT NULL,
  number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 4294967295),
  port INTEGER UNIQUE CHECK (port BETWEEN 1 AND 65535),
  state TEXT NOT NULL CHECK (state IN ('starting', 'serving', 'draining', 'stopping')),
  since INTEGER NOT NULL,
  PRIMARY KEY (app_id, release, type, number),
  FOREIGN KEY (app_id, release) REFERENCES releases (app_id, number)
) STRICT, WITHOUT ROWID;

-- Where the search for a free port goes on.
CREATE TABLE port_cursor (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  last_port INTEGER NOT NULL
) STRICT;
INSERT INTO port_cursor VALUES (1, 0);
)sql";

// Operating apps: settings, scale, stopped and asleep, maintenance, jobs, roles, the audit. Tables whose CHECK knows
// more words now are made again, since SQLite cannot change one (https://sqlite.org/lang_altertable.html#otheralter).
const char* const kOperatingTables = R"sql(
CREATE TABLE new_deployments (
  app_id INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
  number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 4294967295),
  group_id INTEGER NOT NULL REFERENCES deployment_groups,
  kind TEXT NOT NULL CHECK (kind IN
    ('push', 'redeploy', 'restart', 'remove', 'config', 'scale', 'stop', 'start', 'rollback')),
  commit_id TEXT CHECK (length(commit_id) = 40),
  previous TEXT CHECK (length(previous) = 40),
  detail TEXT NOT NULL DEFAULT '',
  holds INTEGER NOT NULL DEFAULT 0 CHECK (holds IN (0, 1)),
  author TEXT NOT NULL,
  error TEXT NOT NULL DEFAULT '',
  hint TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (app_id, number),
  CHECK ((commit_id IS NULL) = (kind = 'remove'))
) STRICT, WITHOUT ROWID;
INSERT INTO new_deployments
  SELECT app_id, number, group_id, kind, commit_id, previous, '', 0, author, error, hint FROM deployments;
DROP TABLE deployments;
ALTER TABLE new_deployments RENAME TO deployments;
CREATE UNIQUE INDEX deployments_by_group ON deployments (group_id, app_id);
CREATE TRIGGER empty_groups AFTER DELETE ON deployments
WHEN NOT EXISTS (SELECT 1 FROM deployments WHERE group_id = old.group_id)
BEGIN
  DELETE FROM deployment_groups WHERE id = old.group_id;
END;

-- kept_by: the release that goes on with an instance of an older one (a change of the scale).
CREATE TABLE new_instances (
  app_id INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
  release INTEGER NOT NULL,
  type TEXT NOT NULL,
  number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 4294967295),
  port INTEGER UNIQUE CHECK (port BETWEEN 1 AND 65535),
  state TEXT NOT NULL CHECK (state IN ('starting', 'serving', 'asleep', 'draining', 'stopping')),
  since INTEGER NOT NULL,
  kept_by INTEGER,
  PRIMARY KEY (app_id, release, type, number),
  FOREIGN KEY (app_id, release) REFERENCES releases (app_id, number)
) STRICT, WITHOUT ROWID;
INSERT INTO new_instances SELECT app_id, release, type, number, port, state, since, NULL FROM instances;
DROP TABLE instances;
ALTER TABLE new_instances RENAME TO instances;

ALTER TABLE releases ADD COLUMN crons TEXT NOT NULL DEFAULT '[]';
ALTER TABLE apps ADD COLUMN stopped INTEGER NOT NULL DEFAULT 0 CHECK (stopped IN (0, 1));
ALTER TABLE apps ADD COLUMN maintenance TEXT NOT NULL DEFAULT 'off' CHECK (maintenance IN ('off', 'page', 'hold'));
ALTER TABLE apps ADD COLUMN maintenance_page TEXT NOT NULL DEFAULT '';

-- Values are sealed (store/vault.hh).
CREATE TABLE app_settings (
  app_id INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
  name TEXT NOT NULL,
  sealed BLOB NOT NULL,
  secret INTEGER NOT NULL CHECK (secret IN (0, 1)),
  PRIMARY KEY (app_id, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE release_settings (
  app_id INTEGER NOT NULL,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  sealed BLOB NOT NULL,
  secret INTEGER NOT NULL CHECK (secret IN (0, 1)),
  PRIMARY KEY (app_id, number, name),
  FOREIGN KEY (app_id, number) REFERENCES releases (app_id, number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
-- How many instances of a type the operator wants, whatever the app's files say.
CREATE TABLE app_counts (
  app_id INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
  type TEXT NOT NULL,
  count INTEGER NOT NULL CHECK (count BETWEEN 0 AND 4294967295),
  PRIMARY KEY (app_id, type)
) STRICT, WITHOUT ROWID;

ALTER TABLE keys RENAME COLUMN admin TO all_apps;
ALTER TABLE keys ADD COLUMN role TEXT NOT NULL DEFAULT 'admin' CHECK (role IN ('view', 'deploy', 'admin'));
UPDATE keys SET role = 'deploy' WHERE NOT all_apps;

CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  app_id INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
  number INTEGER NOT NULL,
  release INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('run', 'cron')),
  name TEXT NOT NULL,
  command TEXT NOT NULL,
  author TEXT NOT NULL,
  started INTEGER NOT NULL,
  ended INTEGER,
  exit_code INTEGER,
  outcome TEXT NOT NULL DEFAULT '',
  UNIQUE (app_id, number)
) STRICT;
CREATE INDEX jobs_running ON jobs (id) WHERE ended IS NULL;
CREATE INDEX jobs_by_name ON jobs (app_id, kind, name, id);
-- Up to when the clock was looked at.
CREATE TABLE cron_states (
  app_id INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
  name TEXT NOT NULL,
  schedule TEXT NOT NULL,
  seen INTEGER NOT NULL,
  PRIMARY KEY (app_id, name)
) STRICT, WITHOUT ROWID;

-- Who changed what. It outlives the apps and keys that it names.
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  key_fingerprint TEXT NOT NULL,
  address TEXT NOT NULL,
  app TEXT NOT NULL,
  action TEXT NOT NULL,
  detail TEXT NOT NULL,
  outcome TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_app ON audit (app, id);
)sql";

}  // namespace pushrod
