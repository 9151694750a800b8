// Services (databases) as people and machines see and use them.
//
// Making and destroying one is for administrators of the machine. A service belongs to the apps that are attached to
// it: who may see one of them sees it, and who may deploy all of them may use it. One that no app is attached to is for
// administrators alone.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "operate/backup_state.hh"
#include "operate/json.hh"
#include "operate/session.hh"
#include "services/services.hh"

namespace pushrod {

struct ServiceView {
  BackingService service;
  ServiceLook look;
  std::vector<ServiceAttachment> attachments;    // of the apps that the caller may see
  std::uint64_t memory = 0;                      // bytes that it uses now
  std::uint64_t disk = 0;                        // bytes of its data; 0: not looked at
  std::uint64_t disk_limit = 0;                  // 0: none
  bool limits_processors = true;                 // are limits on processors enforced here?
  std::map<std::string, BackupState> backups{};  // of those apps, which have what is in it; empty in lists
  std::optional<BackupState> own_backup{};       // of the service by itself, if there is one, or no app has one for it
};
Json to_json(const ServiceView& view);

// Throws UserError, which is the same for a service that does not exist and for one that the caller may not see.
BackingService require_service(Session& session, const ServiceName& name, Right right);

std::vector<ServiceView> list_services(Session& session);
// Those that the app is attached to; without one, those of all apps that the caller may see. Each names these
// attachments alone.
std::vector<ServiceView> services_of(Session& session, const std::optional<AppName>& app);
ServiceView show_service(Session& session, const ServiceName& name);

struct ServiceRequest {
  std::string type;
  std::optional<ServiceName> name{};  // absent: the type's name, or that with a number
  std::string version{};
  std::optional<std::uint64_t> memory{}, disk{};
  std::optional<unsigned> cpu_percent{};
};
BackingService create_service(Session& session, const ServiceRequest& request);
// What is absent stays as it is. Its server is started again if it has to be; if it does not run with the new limits,
// the old ones stay.
ServiceView limit_service(Session& session, const ServiceName& name, std::optional<std::uint64_t> memory,
                          std::optional<std::uint64_t> disk, std::optional<unsigned> cpu_percent);
void stop_service(Session& session, const ServiceName& name);
void start_service(Session& session, const ServiceName& name);
void restart_service(Session& session, const ServiceName& name);
// What destroying it would delete; and that. Throws UserError while apps are attached.
ServiceView service_removal(Session& session, const ServiceName& name);
void destroy_service(Session& session, const ServiceName& name);

}  // namespace pushrod
