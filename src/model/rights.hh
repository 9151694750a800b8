// Rights: what a key may do with an app. One table for every door.
// Pure.
//
//                view  deploy  admin
//   See           x      x       x     that it is there: processes, logs, deployments, releases, audit
//   ReadCode             x       x     fetch its repo
//   Deploy               x       x     push, restart, redeploy, cancel, roll back, scale, stop, start, run, configure
//   Administer                   x     destroy it, and delete what is kept of it
//
// A key has its role for all apps, or for some and none for the others. What concerns the machine (keys, making apps)
// is for an admin of all apps: Key::is_admin().
#pragma once

#include <string>

#include "model/app.hh"

namespace pushrod {

enum class Right { See, ReadCode, Deploy, Administer };

bool may(Role role, Right right);
bool may(const Key& key, const AppName& app, Right right);
// The least role that has the right.
Role role_for(Right right);

// Why a key that may see the app may not do that; and the remedy.
std::string refusal_of(const Key& key, const AppName& app);
std::string remedy_for(const Key& key, Right right);

}  // namespace pushrod
