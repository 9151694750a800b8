// A service that only this process knows of, for as long as the object lives. A killed process leaves a service that
// the daemon destroys.
#pragma once

#include "services/services.hh"

namespace pushrod {

class ScratchService {
 public:
  // `request`: its name does not count. `why`: for people who wait for the lock.
  ScratchService(const ServicePlatform& platform, NewService request, const std::string& why);
  ScratchService(const ScratchService&) = delete;
  ScratchService& operator=(const ScratchService&) = delete;
  ~ScratchService();

  const BackingService& service() const { return *service_; }
  Server server() const { return server_of(platform_, *service_); }

 private:
  FileLock lock_free_name(const std::string& why);

  const ServicePlatform& platform_;
  std::optional<ServiceName> name_;
  FileLock lock_;
  std::optional<BackingService> service_;
};

}  // namespace pushrod
