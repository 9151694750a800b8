// What every part of deploying works on. Made by the session or the daemon; nothing here is owned.
#pragma once

#include "engine/engine.hh"
#include "engine/ingress.hh"
#include "model/layout.hh"
#include "model/settings.hh"
#include "services/platform.hh"
#include "store/store.hh"

namespace pushrod {

struct Platform {
  const Layout& layout;
  const Settings& settings;
  Store& store;
  const Engine& engine;
  const Ingress& ingress;
  ServicePlatform services() const { return {layout, settings, store, engine.services()}; }
};

}  // namespace pushrod
