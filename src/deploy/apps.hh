// Making and destroying apps.
#pragma once

#include <string>

#include "deploy/platform.hh"

namespace pushrod {

// Creates the repo too, if it is new. Throws UserError when the app exists. What a crash leaves: nothing, or the app.
App create_app(const Platform& platform, const AppName& name, const Source& source);

// For an app that is not deployed: its next deployment takes its code from there. Creates the repo, if it is new; the
// one that it leaves stays. Throws UserError when it has been deployed in the meantime.
void move_app(const Platform& platform, const App& app, const Source& source);

// The app with everything of it: out of the routes first, then its instances, files, data, logs and records; its branch
// if no other app runs from it, its repo if no other app uses it. A deployment in progress is cancelled. Said again
// after a crash it goes on where it stopped.
void destroy_app(const Platform& platform, const App& app);

}  // namespace pushrod
