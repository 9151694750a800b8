// Which app is attached to which service: accounts in servers, and the settings that lead to them.
//
// The row comes first (Attaching, with its deployment), then the account in the server, then the settings. At the
// commit the row becomes Attached, in the same transaction as the settings; if the deployment fails, Leaving. What is
// Leaving is closed by the daemon when no instance can use it any more. So neither a commit nor an undo talks to a
// server.
#pragma once

#include <optional>
#include <string>

#include "model/app.hh"
#include "model/app_setting.hh"
#include "services/service_type.hh"

namespace pushrod {

struct AttachRequest {
  AppId app_id = 0;
  AppName app;
  std::string key{};                    // of its files; empty: by hand
  std::string prefix{};                 // empty: the type's
  std::string database{};               // empty: one of its own
  std::optional<std::int64_t> group{};  // the deployment; absent: the app is not deployed
  bool tcp = false;                     // by a port of 127.0.0.1
};

// The prefix that the app's settings would get. Throws UserError for one that no setting may have.
std::string prefix_for(const ServiceType& type, const std::string& prefix);
// Throws UserError when the app cannot be attached: it is already, its settings are taken, the service is another
// app's.
void check_attachable(const ServicePlatform& platform, const BackingService& service, const AttachRequest& request,
                      const AppSettings& known);
// Opens the account. Returns the settings, sealed. `known`: those that the app has.
SettingChanges open_attachment(const ServicePlatform& platform, const BackingService& service,
                               const AttachRequest& request, const AppSettings& known);
// Another account with another password, which the app's next release has; the one of today is closed after it.
// Returns the settings.
SettingChanges rotate_account(const ServicePlatform& platform, const BackingService& service,
                              const AttachRequest& request);
// What takes the settings that come from this service away.
SettingChanges without_service(const AppSettings& settings, ServiceId service);

// The daemon's part: closes what is Leaving, of this service. The caller holds its lock. True when there was something.
bool close_leaving(const ServicePlatform& platform, const BackingService& service);

// A name for an account or a database as servers take it: "shop-2" → "shop_2". Throws UserError for one that a server
// keeps for itself.
std::string database_name(const std::string& text);

}  // namespace pushrod
