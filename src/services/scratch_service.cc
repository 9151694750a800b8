#include "services/scratch_service.hh"

#include <fmt/format.h>

#include "os/files.hh"

namespace pushrod {

ScratchService::ScratchService(const ServicePlatform& platform, NewService request, const std::string& why)
    : platform_(platform), lock_(lock_free_name(why)) {
  request.name = *name_;
  service_ = make_service(platform_, request);
}

ScratchService::~ScratchService() {
  try {
    destroy_service(platform_, *service_);
  } catch (const std::exception&) {  // the daemon destroys it
  }
}

FileLock ScratchService::lock_free_name(const std::string& why) {
  make_directory(platform_.layout.locks());
  for (unsigned number = 1;; ++number) {
    name_ = ServiceName::parse(fmt::format("scratch-{}", number));
    auto lock = FileLock::try_acquire(platform_.layout.service_lock(*name_));
    if (!lock) continue;
    const auto there = platform_.store.service(*name_);
    if (there && there->state != ServiceState::Creating && there->state != ServiceState::Destroying) continue;
    lock->announce(why);
    return *std::move(lock);
  }
}

}  // namespace pushrod
