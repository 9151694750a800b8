// What this room works on. Nothing here is owned.
#pragma once

#include "engine/service_engine.hh"
#include "model/layout.hh"
#include "model/settings.hh"
#include "store/store.hh"

namespace pushrod {

struct ServicePlatform {
  const Layout& layout;
  const Settings& settings;
  Store& store;
  const ServiceEngine& engine;
};

}  // namespace pushrod
