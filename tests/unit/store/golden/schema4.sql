-- A database of schema 4: jobs with their commands in the clear.
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
  created INTEGER NOT NULL, stopped INTEGER NOT NULL DEFAULT 0 CHECK (stopped IN (0, 1)), maintenance TEXT NOT NULL DEFAULT 'off' CHECK (maintenance IN ('off', 'page', 'hold')), maintenance_page TEXT NOT NULL DEFAULT '', config TEXT NOT NULL DEFAULT '', build_root TEXT,
  FOREIGN KEY (id, live) REFERENCES releases (app_id, number)
) STRICT;
CREATE TABLE keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  public_key TEXT NOT NULL UNIQUE,
  fingerprint TEXT NOT NULL,
  all_apps INTEGER NOT NULL CHECK (all_apps IN (0, 1)),
  created INTEGER NOT NULL
, role TEXT NOT NULL DEFAULT 'admin' CHECK (role IN ('view', 'deploy', 'admin'))) STRICT;
CREATE TABLE key_apps (
  key_id INTEGER NOT NULL REFERENCES keys ON DELETE CASCADE,
  app_id INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
  PRIMARY KEY (key_id, app_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE deployment_groups (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  state TEXT NOT NULL CHECK (state IN
    ('waiting', 'running', 'ready', 'committed', 'live', 'failed', 'cancelled', 'superseded')),
  started INTEGER NOT NULL,
  ended INTEGER,
  CHECK ((ended IS NULL) = (state IN ('waiting', 'running', 'ready', 'committed')))
) STRICT;
CREATE TABLE steps (
  id INTEGER PRIMARY KEY,
  group_id INTEGER NOT NULL REFERENCES deployment_groups ON DELETE CASCADE,
  step TEXT NOT NULL CHECK (step IN
    ('wait', 'checkout', 'build', 'release', 'start', 'health', 'commit', 'switch')),
  started INTEGER NOT NULL,
  ended INTEGER,
  UNIQUE (group_id, step)
) STRICT;
CREATE TABLE releases (
  app_id INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
  number INTEGER NOT NULL,
  commit_id TEXT NOT NULL CHECK (length(commit_id) = 40),
  checkout INTEGER NOT NULL CHECK (checkout BETWEEN 1 AND 4294967295),
  builder TEXT NOT NULL,
  processes TEXT NOT NULL,
  created INTEGER NOT NULL, crons TEXT NOT NULL DEFAULT '[]', writable TEXT NOT NULL DEFAULT '[]', repo TEXT NOT NULL DEFAULT '', branch TEXT NOT NULL DEFAULT '', path TEXT NOT NULL DEFAULT '', config TEXT NOT NULL DEFAULT '', build_root TEXT, manifest_root INTEGER NOT NULL DEFAULT 0 CHECK (manifest_root IN (0, 1)),
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
CREATE TABLE port_cursor (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  last_port INTEGER NOT NULL
) STRICT;
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
CREATE TABLE app_counts (
  app_id INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
  type TEXT NOT NULL,
  count INTEGER NOT NULL CHECK (count BETWEEN 0 AND 4294967295),
  PRIMARY KEY (app_id, type)
) STRICT, WITHOUT ROWID;
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
CREATE TABLE cron_states (
  app_id INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
  name TEXT NOT NULL,
  schedule TEXT NOT NULL,
  seen INTEGER NOT NULL,
  PRIMARY KEY (app_id, name)
) STRICT, WITHOUT ROWID;
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
CREATE TABLE deployments (
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
CREATE TABLE instances (
  app_id INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
  release INTEGER NOT NULL,
  type TEXT NOT NULL,
  number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 4294967295),
  port INTEGER UNIQUE CHECK (port BETWEEN 1 AND 65535),
  state TEXT NOT NULL CHECK (state IN ('starting', 'serving', 'asleep', 'standby', 'draining', 'stopping')),
  since INTEGER NOT NULL,
  kept_by INTEGER, app TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (app_id, release, type, number),
  FOREIGN KEY (app_id, release) REFERENCES releases (app_id, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE watches (
  app_id INTEGER PRIMARY KEY REFERENCES apps ON DELETE CASCADE,
  group_id INTEGER NOT NULL,
  release INTEGER NOT NULL,
  previous INTEGER NOT NULL,
  failure TEXT NOT NULL DEFAULT ''
) STRICT;
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
CREATE INDEX apps_by_branch ON apps (repo_id, branch);
CREATE INDEX key_apps_by_app ON key_apps (app_id);
CREATE INDEX deployment_groups_unfinished ON deployment_groups (id)
  WHERE state IN ('waiting', 'running', 'ready', 'committed');
CREATE INDEX jobs_running ON jobs (id) WHERE ended IS NULL;
CREATE INDEX jobs_by_name ON jobs (app_id, kind, name, id);
CREATE INDEX audit_by_app ON audit (app, id);
CREATE UNIQUE INDEX deployments_by_group ON deployments (group_id, app_id);
CREATE UNIQUE INDEX instances_by_name ON instances (app, release, type, number);
CREATE TRIGGER empty_groups AFTER DELETE ON deployments
WHEN NOT EXISTS (SELECT 1 FROM deployments WHERE group_id = old.group_id)
BEGIN
  DELETE FROM deployment_groups WHERE id = old.group_id;
END;

INSERT INTO port_cursor VALUES (1, 0);
INSERT INTO repos VALUES (1, 'site');
INSERT INTO apps (id, name, repo_id, branch, path, live, last_number, created) VALUES
  (1, 'blog', 1, 'main', '', NULL, 1, 1700000000000);
INSERT INTO deployment_groups (id, state, started, ended) VALUES (1, 'live', 1700000000000, 1700000001000);
INSERT INTO deployments (app_id, number, group_id, kind, commit_id, author) VALUES
  (1, 1, 1, 'push', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'ann');
INSERT INTO releases (app_id, number, commit_id, checkout, builder, processes, created) VALUES
  (1, 1, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 'python', '[]', 1700000001000);
UPDATE apps SET live = 1 WHERE id = 1;
INSERT INTO jobs (app_id, number, release, kind, name, command, author, started, ended, exit_code, outcome) VALUES
  (1, 1, 1, 'run', 'run', '["migrate","--password","kieselstein-1"]', 'ann', 1700000002000, 1700000003000, 0, 'exit code 0'),
  (1, 2, 1, 'run', 'run', '["migrate","--password","kieselstein-2"]', 'ann', 1700000004000, NULL, NULL, '');
INSERT INTO jobs (app_id, number, release, kind, name, command, author, started) VALUES
  (1, 3, 1, 'run', 'run', '["migrate","--password","kieselstein-deleted"]', 'ann', 1700000005000);
DELETE FROM jobs WHERE number = 3;
PRAGMA user_version = 4;
PRAGMA application_id = 1349874276;
