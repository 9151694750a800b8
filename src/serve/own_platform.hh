// The platform with a database connection for one thread alone.
#pragma once

#include "deploy/platform.hh"

namespace pushrod {

struct OwnPlatform {
  explicit OwnPlatform(const Platform& shared)
      : store(shared.layout.database()),
        platform{shared.layout, shared.settings, store, shared.engine, shared.ingress} {}
  Store store;
  Platform platform;
};

}  // namespace pushrod
