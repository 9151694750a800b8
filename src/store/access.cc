// The access rules of apps, sealed. They go with their app's row.
#include "base/error.hh"
#include "store/database.hh"
#include "store/vault.hh"

namespace pushrod {

// No client has it.
constexpr const char* kNobody = "255.255.255.255";

std::map<AppId, AccessRules> Store::access_rules() const {
  Query rows = db_->query("SELECT app_id, sealed FROM access_rules");
  std::map<AppId, AccessRules> found;
  while (rows.next()) {
    const AppId app = rows.integer();
    try {
      found.emplace(app, access_rules_from_json(vault().open_access(app, rows.text()).reveal()));
    } catch (const UserError&) {
      found.emplace(app, AccessRules{.networks = {kNobody}});
    }
  }
  return found;
}

void Store::set_access_rules(AppId app, const AccessRules& rules) {
  Transaction transaction(*db_);
  if (rules == AccessRules{}) {
    db_->query("DELETE FROM access_rules WHERE app_id = ?").with(app).run();
  } else {
    const auto sealed = vault().seal_access(app, to_json(rules));
    db_->query(
           "INSERT INTO access_rules (app_id, sealed) VALUES (?, ?) ON CONFLICT (app_id) DO UPDATE SET sealed = "
           "excluded.sealed")
        .with(app, Blob{sealed})
        .run();
  }
  transaction.commit();
}

}  // namespace pushrod
