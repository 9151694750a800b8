// Services from their creation to their end, and what a kill leaves of them.
//
// A row in the database comes first, then the directory, then the server; the state of the row says what is wanted
// (model/service.hh). Whoever works on a service holds its lock (Layout::service_lock()), so a row in state Creating or
// Destroying whose lock is free belongs to a process that was killed: reconcile_services() undoes the one and finishes
// the other. A data directory gets its name when it is complete, and is never initialised again.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "os/file_lock.hh"
#include "services/service_type.hh"

namespace pushrod {

struct NewService {
  ServiceName name;
  std::string type;
  std::string version{};                  // empty: the newest that is installed
  std::optional<std::uint64_t> memory{};  // absent: what is usual for its type
  std::uint64_t disk = 0;                 // 0: what server.toml says
  unsigned cpu_percent = 0;
  std::optional<AppId> declared_by{};
  std::optional<std::int64_t> group{};
  std::optional<Secret> password{};                          // of its administrator; absent: a new one
  std::function<void(const std::filesystem::path&)> fill{};  // its data directory, in place of its type
};

// Throws UserError when that is too little.
void check_limits(const ServiceType& type, std::uint64_t memory, std::uint64_t disk);
// The row that this would become. Throws UserError: an unknown type, a server that is not installed, too little memory.
BackingService planned_service(const NewService& request);

// Returns when it serves clients, in state Creating, and the daemon destroys it once the caller, who holds its lock, is
// gone. create_service() is this, and the state Running.
BackingService make_service(const ServicePlatform& platform, const NewService& request);
// Returns when it serves clients. After a failure nothing of it is left. Throws UserError when the name is taken.
BackingService create_service(const ServicePlatform& platform, const NewService& request);
// The caller holds the service's lock for these, and says in its row before what is wanted. Each returns when it has
// taken effect.
void start_service(const ServicePlatform& platform, const BackingService& service);
void stop_service(const ServicePlatform& platform, const BackingService& service);
// With all its data, whatever state it is in.
void destroy_service(const ServicePlatform& platform, const BackingService& service);

// Waits for the lock, and says meanwhile to others what it is for.
FileLock lock_service(const ServicePlatform& platform, const ServiceName& name, const std::string& why);

// What it takes to work on it. Throws UserError when its server is not installed (any more).
Server server_of(const ServicePlatform& platform, const BackingService& service);
const ServiceType& type_of(const BackingService& service);

ServicePlan plan_of(const Server& server);

// How it is now.
enum class ServiceCondition { Running, Starting, Crashing, Stopped, NotInstalled };
std::string_view to_string(ServiceCondition condition);
struct ServiceLook {
  ServiceCondition condition = ServiceCondition::Stopped;
  std::string problem{};  // what to do about it; empty: nothing
  Milliseconds since{0};
  unsigned restarts = 0;
};
ServiceLook look_at(const ServicePlatform& platform, const BackingService& service);

// The reconciler's part: settles what a killed process has left, starts what is missing, ends what is not wanted. Safe
// at any moment. True when there was something to do.
bool reconcile_services(const ServicePlatform& platform);

// For `pushrod up`: the plans of those that are to run and can. The others are reported to standard error.
std::vector<ServicePlan> plans_to_start(const ServicePlatform& platform);

}  // namespace pushrod
