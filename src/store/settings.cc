// Settings of apps, as they are wanted now; those of a release are with the release.
// Values come and go sealed.
#include "store/database.hh"

namespace pushrod {

AppSetting read_setting(Query& row) {
  AppSetting setting;
  setting.sealed = row.text();
  setting.secret = row.boolean();
  setting.service = row.integer();
  setting.scope = setting_scope_from(row.text());
  return setting;
}

AppSettings Store::settings(AppId app) const {
  Query rows = db_->query("SELECT name, sealed, secret, service_id, scope FROM app_settings WHERE app_id = ?");
  rows.with(app);
  AppSettings settings;
  while (rows.next()) {
    auto name = rows.name<SettingName>();
    settings.emplace(std::move(name), read_setting(rows));
  }
  return settings;
}

void Store::set_settings(AppId app, const AppSettings& settings) {
  Transaction transaction(*db_);
  db_->query("DELETE FROM app_settings WHERE app_id = ?").with(app).run();
  for (const auto& [name, setting] : settings) {
    db_->query("INSERT INTO app_settings VALUES (?, ?, ?, ?, ?, ?)")
        .with(app, name, Blob{setting.sealed}, std::int64_t{setting.secret}, setting.service, to_string(setting.scope))
        .run();
  }
  transaction.commit();
}

}  // namespace pushrod
