// What a commit writes of what the operator wants of the app (model/deployment_kind.hh: Intent).
#include "store/database.hh"

namespace pushrod {

namespace {

// The settings of the app become those of the release that a rollback has made; but what is set or unset for the next
// release, and so is otherwise in the live one, waits on.
void restore_settings(Connection& connection, const Deployment& deployment) {
  const std::string in_live =
      "(SELECT l.sealed, l.secret, l.scope FROM release_settings l JOIN apps a ON a.id = l.app_id AND a.live = l.number"
      " WHERE l.app_id = ?1 AND l.name = ";
  connection
      .query(
          "INSERT INTO app_settings SELECT r.app_id, r.name, r.sealed, r.secret, r.service_id, r.scope FROM "
          "release_settings r"
          " WHERE r.app_id = ?1 AND r.number = ?2"
          " AND (EXISTS (SELECT 1 FROM app_settings s WHERE s.app_id = ?1 AND s.name = r.name) OR NOT EXISTS " +
          in_live +
          "r.name))"
          " ON CONFLICT (app_id, name) DO UPDATE SET sealed = excluded.sealed, secret = excluded.secret,"
          " service_id = excluded.service_id, scope = excluded.scope"
          " WHERE (app_settings.sealed, app_settings.secret, app_settings.scope) = " +
          in_live + "app_settings.name)")
      .with(deployment.app_id, deployment.number)
      .run();
  connection
      .query("DELETE FROM app_settings WHERE app_id = ?1 AND (sealed, secret, scope) = " + in_live +
             "app_settings.name)"
             " AND name NOT IN (SELECT r.name FROM release_settings r WHERE r.app_id = ?1 AND r.number = ?2)")
      .with(deployment.app_id, deployment.number)
      .run();
}

void replace_settings(Connection& connection, const Deployment& deployment) {
  connection.query("DELETE FROM app_settings WHERE app_id = ?").with(deployment.app_id).run();
  connection
      .query(
          "INSERT INTO app_settings SELECT app_id, name, sealed, secret, service_id, scope FROM release_settings"
          " WHERE app_id = ? AND number = ?")
      .with(deployment.app_id, deployment.number)
      .run();
}

// A release that was built may have settings that were made up for it: those that neither the app nor the live release
// has.
void keep_new_settings(Connection& connection, const Deployment& deployment) {
  connection
      .query(
          "INSERT OR IGNORE INTO app_settings SELECT app_id, name, sealed, secret, service_id, scope FROM "
          "release_settings r"
          " WHERE app_id = ?1 AND number = ?2 AND NOT EXISTS (SELECT 1 FROM release_settings l JOIN apps a"
          " ON a.id = l.app_id AND a.live = l.number WHERE l.app_id = ?1 AND l.name = r.name)")
      .with(deployment.app_id, deployment.number)
      .run();
}

// Counts of other types are for a release to come.
void write_counts(Connection& connection, AppId app, const Release& release) {
  for (const Process& process : release.processes) {
    connection.query("DELETE FROM app_counts WHERE app_id = ? AND type = ?").with(app, process.type).run();
    if (!process.is_scaled) continue;
    connection.query("INSERT INTO app_counts VALUES (?, ?, ?)").with(app, process.type, process.count).run();
  }
}

void write_stopped(Connection& connection, AppId app, bool stopped) {
  connection.query("UPDATE apps SET stopped = ? WHERE id = ?").with(std::int64_t{stopped}, app).run();
}

}  // namespace

void write_intent(Connection& connection, const Deployment& deployment, const Release* release) {
  const AppId app = deployment.app_id;
  const auto from = rules_of(deployment.kind).release;
  if (from == ReleaseFrom::Build || from == ReleaseFrom::FreshBuild) keep_new_settings(connection, deployment);
  switch (rules_of(deployment.kind).intent) {
    case Intent::None:
      break;
    case Intent::Settings:
      replace_settings(connection, deployment);
      break;
    case Intent::Counts:
      write_counts(connection, app, *release);
      break;
    case Intent::Source:
      write_source(connection, app, release->source);
      break;
    case Intent::Name:
      if (const auto renaming = renaming_of(deployment)) {
        connection.query("UPDATE apps SET name = ? WHERE id = ?").with(renaming->to, app).run();
      }
      break;
    case Intent::Stopped:
      write_stopped(connection, app, true);
      break;
    case Intent::Started:
      write_stopped(connection, app, false);
      break;
    case Intent::Release:
      restore_settings(connection, deployment);
      write_source(connection, app, release->source);
      write_counts(connection, app, *release);
      break;
  }
}

}  // namespace pushrod
