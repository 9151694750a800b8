// The deploy keys of apps; their private parts are sealed. They go with their app's row.
#include "store/database.hh"
#include "store/vault.hh"

namespace pushrod {

std::optional<DeployKey> Store::deploy_key(AppId app) const {
  Query row = db_->query("SELECT public_key, fingerprint, sealed, known_hosts FROM deploy_keys WHERE app_id = ?");
  if (!row.with(app).next()) return std::nullopt;
  auto public_key = row.text();
  auto fingerprint = row.text();
  auto private_key = vault().open_deploy_key(app, row.text());
  return DeployKey{std::move(public_key), std::move(fingerprint), std::move(private_key), row.text()};
}

void Store::set_deploy_key(AppId app, const DeployKey& key) {
  const auto sealed = vault().seal_deploy_key(app, key.private_key);
  db_->query("INSERT OR REPLACE INTO deploy_keys VALUES (?, ?, ?, ?, ?)")
      .with(app, key.public_key, key.fingerprint, Blob{sealed}, key.known_hosts)
      .run();
}

void Store::set_known_hosts(AppId app, const std::string& known_hosts) {
  db_->query("UPDATE deploy_keys SET known_hosts = ? WHERE app_id = ?").with(known_hosts, app).run();
}

}  // namespace pushrod
