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
                                const std::string& prefix, const std::string& database);
// Needs the right to deploy the app. Its database stays.
AttachmentChange detach_service(Session& session, const ServiceName& service, const AppName& app);

// The services of an app that is about to be destroyed: they stay, and these are left without apps.
std::vector<BackingService> services_left_by(Session& session, const App& app);

}  // namespace pushrod
