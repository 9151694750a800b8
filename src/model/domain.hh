// A domain of an app: a route that an operator has added, beside the app's own address (<app>.<domain>).
#pragma once

#include "model/app.hh"
#include "model/route.hh"

namespace pushrod {

struct Domain {
  AppId app_id = 0;
  AppName app;
  Route route;
  WallTime added;
};

}  // namespace pushrod
