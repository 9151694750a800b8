// Apps and the services that they are attached to.
#pragma once

#include <optional>
#include <string>

#include "deploy/change.hh"
#include "operate/services.hh"

namespace pushrod {

struct AttachmentChange {
  std::optional<Change> change{};  // to be deployed; absent: saved for the first release, since the app is not deployed
};

// Needs the right to deploy the app, and all apps that are attached to the service already.
AttachmentChange attach_service(Session& session, const ServiceName& service, const AppName& app,
                                const std::string& prefix, const std::string& database, bool tcp);
// Needs the right to deploy the app. Its database stays.
AttachmentChange detach_service(Session& session, const ServiceName& service, const AppName& app);

// The accounts of the apps that are attached and that the caller may see.
std::vector<ServiceAttachment> service_accounts(Session& session, const ServiceName& service);
// Another account with another password for the app; the one of today ends after the switch. Needs the right to deploy
// the app.
AttachmentChange rotate_credentials(Session& session, const ServiceName& service, const AppName& app);

}  // namespace pushrod
