// Services: databases and the like that run beside apps, and which app is attached to which.
// Plain values. The rows are the truth; services/ carries them out.
//
//   creating ──► running ◄──► stopped          A service that is being created and whose process is gone is undone; one
//       │            │            │            that is being destroyed is finished.
//       └────────────┴──► destroying ──► (no row)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/app.hh"
#include "model/names.hh"
#include "os/clock.hh"
#include "os/socket.hh"

namespace pushrod {

using ServiceId = std::int64_t;

enum class ServiceState { Creating, Running, Stopped, Destroying };
std::string_view to_string(ServiceState state);
ServiceState service_state_from(std::string_view text);

struct BackingService {
  ServiceId id = 0;
  ServiceName name;
  std::string type;                             // "postgres", "redis": services/service_type.hh knows them
  std::string version;                          // the major version of its server: "15"
  std::uint64_t memory = 0;                     // bytes
  ServiceState state = ServiceState::Creating;  // what is wanted
  std::string sealed_password{};                // of the administrator's account; store/vault.hh
  std::optional<AppId> declared_by{};           // the app whose files name it
  std::optional<std::int64_t> group{};          // the deployment that makes it, until its commit
  WallTime created{};
  std::string upgrade{};         // its server becomes another version: a mark of that attempt
  std::string former_version{};  // whose data is kept beside it
  std::uint64_t disk = 0;        // bytes that its data may take; 0: what server.toml says
  unsigned cpu_percent = 0;      // of one processor; 0: not limited
  std::uint64_t over_disk = 0;   // its data took so much, which is too much: it is read-only; 0: it is not
};

// "postgres 15"; "redis-7", whose version names the server.
std::string shown_type(const BackingService& service);

// Attached: the app's settings name the service. Attaching: a deployment is about to set them; gone if that fails.
// Leaving: no setting names it any more; its account is closed when no instance can use it any more.
enum class AttachmentState { Attaching, Attached, Leaving };
std::string_view to_string(AttachmentState state);
AttachmentState attachment_state_from(std::string_view text);

struct ServiceAttachment {
  ServiceId service = 0;
  AppId app_id = 0;
  std::string app{};     // its name when it was attached, for messages when the app is gone
  std::string key{};     // under which its files declare the service; empty: attached by hand
  std::string prefix{};  // "DATABASE": its settings begin with that
  std::string role{};    // its account in the service
  std::string database{};
  bool made_database = false;  // by this attachment: removed with it if the deployment fails
  AttachmentState state = AttachmentState::Attaching;
  std::optional<std::int64_t> group{};  // Attaching, or with a next role: the deployment
  std::string next_role{};              // an account that the app's next release uses instead
  std::string former_role{};            // and one that it used: closed when no instance can use it any more
  std::optional<Port> port{};           // leased, on 127.0.0.1: leads to the service's socket; absent: no TCP
};

// Where the socket directory of a service is in the sandboxes of apps: "/services/shop-db".
std::string service_directory_in_app(const ServiceName& name);

}  // namespace pushrod
