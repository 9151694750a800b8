// The tables. PRAGMA user_version counts the migrations that a database has seen; a migration is never changed once it
// is released, a new one is added at the end.
// Floor 3.
//
// Deployments of one group share their state and their steps by sharing a row of deployment_groups. Identities are
// never used twice (AUTOINCREMENT), so nobody who remembers a destroyed app's id finds the next app behind it.
#include "store/schema.hh"

#include <fmt/format.h>

#include <array>
#include <string>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

constexpr std::int64_t kApplicationId = 0x50757264;  // "Purd", shown by file(1)

constexpr const char* kFirst = R"sql(
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

constexpr std::array<const char*, 1> kMigrations{kFirst};
constexpr auto kNewest = static_cast<std::int64_t>(kMigrations.size());

std::int64_t version_of(Connection& connection) { return connection.integer_of("PRAGMA user_version"); }

// How many migrations the database has seen, once it is sure that it is ours.
std::int64_t checked_version(Connection& connection) {
  Transaction one_state(connection, Transaction::Kind::Read);
  const std::int64_t version = version_of(connection);
  const std::int64_t application = connection.integer_of("PRAGMA application_id");
  const std::string path = quoted(connection.path().native());
  const auto is_empty = [&] {
    return version == 0 && application == 0 && connection.integer_of("SELECT count(*) FROM sqlite_schema") == 0;
  };
  if (application != kApplicationId && !is_empty()) {
    throw UserError(fmt::format("{} is an SQLite database, but not Pushrod's", path),
                    "choose another root directory, or move that file away");
  }
  if (version > kNewest) {
    throw UserError(fmt::format("the database {} was written by a newer Pushrod (schema {}; this one knows {})", path,
                                version, kNewest),
                    "install that version again, or restore a backup made by this one");
  }
  return version;
}

}  // namespace

void prepare_schema(Connection& connection) {
  while (true) {
    const std::int64_t version = checked_version(connection);
    if (version == kNewest) return;
    Transaction transaction(connection);
    // Another process may have been faster.
    if (version_of(connection) != version) continue;
    connection.execute(kMigrations[static_cast<std::size_t>(version)]);
    connection.execute(
        fmt::format("PRAGMA user_version = {}; PRAGMA application_id = {}", version + 1, kApplicationId));
    transaction.commit();
  }
}

}  // namespace pushrod
