// What the daemon does for services: the rows held against what runs.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"
#include "services/attachments.hh"
#include "services/ports.hh"
#include "services/services.hh"
#include "services/upgrade.hh"

namespace pushrod {

namespace {

// Tells once what keeps a service from running: the daemon looks again and again.
class Complaints {
 public:
  void tell(const ServiceName& name, const std::string& problem) {
    if (std::exchange(told_[name], problem) == problem) return;
    fmt::print(stderr, "service {}: {}\n", name.str(), escaped(problem));
  }
  void forget(const ServiceName& name) { told_.erase(name); }

 private:
  std::map<ServiceName, std::string> told_;
};

// A type keeps what it must not leave half done in files of such names.
bool has_unfinished(const ServicePlatform& platform, const BackingService& service) {
  const auto files = list_directory(platform.layout.backing_service(service.name));
  return std::ranges::any_of(files, [](const std::string& name) { return name.ends_with(".unfinished"); });
}

// True when there was something to do.
bool settle(const ServicePlatform& platform, BackingService service) {
  service = settle_upgrade(platform, service);
  switch (service.state) {
    case ServiceState::Creating:
    case ServiceState::Destroying:
      destroy_service(platform, service);
      return true;
    case ServiceState::Stopped:
    case ServiceState::Running:
      break;
  }
  const auto status = platform.engine.inspect(service.name);
  if (service.state == ServiceState::Stopped) {
    if (!status) return false;
    // A second stop request would restart the time until SIGKILL.
    if (status->wanted_up) platform.engine.stop(service.name);
    if (!status->up) platform.engine.remove(service.name);
    return true;
  }
  if (status && status->wanted_up) {
    if (has_unfinished(platform, service)) type_of(service).recover(server_of(platform, service));
    return close_leaving(platform, service);
  }
  if (status && status->up) return true;  // it is about to end
  if (status) platform.engine.remove(service.name);
  platform.engine.start(plan_of(server_of(platform, service)));
  return true;
}

bool end_strangers(const ServicePlatform& platform) {
  // What is observed first: a service that gets its row and then starts in between is never taken for a stranger.
  const auto found = platform.engine.names();
  if (found.empty()) return false;
  bool any = false;
  for (const auto& name : found) {
    if (platform.store.service(name)) continue;
    const auto lock = FileLock::try_acquire(platform.layout.service_lock(name));
    if (!lock || platform.store.service(name)) continue;
    any = true;
    platform.engine.kill(name);
    platform.engine.remove(name);
  }
  return any;
}

}  // namespace

bool reconcile_services(const ServicePlatform& platform) {
  static Complaints complaints;  // of the daemon's one thread that calls this
  bool any = end_strangers(platform);
  any = close_strange_ports(platform) || any;
  for (const auto& service : platform.store.services()) {
    try {
      const auto lock = FileLock::try_acquire(platform.layout.service_lock(service.name));
      // Read again under the lock: another process may have finished with it meanwhile.
      const auto now = lock ? platform.store.service(service.id) : std::nullopt;
      if (now) any = settle(platform, *now) || any;
      if (now && platform.store.service(now->id)) keep_ports_open(platform, *now);
      complaints.forget(service.name);
    } catch (const Error& error) {
      complaints.tell(service.name, error.hint().empty() ? error.message() : error.message() + "; " + error.hint());
    }
  }
  return any;
}

std::vector<ServicePlan> plans_to_start(const ServicePlatform& platform) {
  std::vector<ServicePlan> plans;
  for (const auto& service : platform.store.services()) {
    if (service.state != ServiceState::Running) continue;
    try {
      plans.push_back(plan_of(server_of(platform, service)));
    } catch (const Error& error) {
      fmt::print(stderr, "service {} is not started: {}; {}\n", service.name.str(), escaped(error.message()),
                 escaped(error.hint()));
    }
  }
  return plans;
}

}  // namespace pushrod
