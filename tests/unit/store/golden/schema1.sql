-- A database as the first schema left it: two apps, one deployed twice, with keys and instances.
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

INSERT INTO repos VALUES (1, 'site');
INSERT INTO apps (id, name, repo_id, branch, path, live, last_number, created) VALUES
  (1, 'blog', 1, 'main', '', NULL, 2, 1700000000000), (7, 'docs', 1, 'docs', 'manual', NULL, 0, 1700000000000);
INSERT INTO keys VALUES (1, 'ann', 'ssh-ed25519 A', 'SHA256:a', 1, 1700000000000),
  (2, 'bob', 'ssh-ed25519 B', 'SHA256:b', 0, 1700000000000);
INSERT INTO key_apps VALUES (2, 1);
INSERT INTO deployment_groups VALUES (1, 'live', 1700000000000, 1700000001000), (2, 'live', 1700000002000, 1700000003000);
INSERT INTO steps VALUES (1, 1, 'checkout', 1700000000000, 1700000001000);
INSERT INTO deployments VALUES (1, 1, 1, 'push', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', NULL, 'ann', '', ''),
  (1, 2, 2, 'restart', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'bob', '', '');
INSERT INTO releases VALUES (1, 1, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 'python', '[]', 1700000001000), (1, 2, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 'python',
  '[{"command":"serve","count":1,"drain_timeout_ms":30000,"health":{"timeout_ms":30000},"overlap":true,"stop_timeout_ms":10000,"type":"web"}]',
  1700000003000);
INSERT INTO release_environment VALUES (1, 2, 'VIRTUAL_ENV', '/venv');
UPDATE apps SET live = 2 WHERE id = 1;
INSERT INTO instances VALUES (1, 2, 'web', 1, 20001, 'serving', 1700000003000);
PRAGMA user_version = 1;
PRAGMA application_id = 1349874276;
