// A restore's /data: exchanged before the build, exchanged back when the deployment is undone.
// Private to deploy/.
#pragma once

#include "deploy/run.hh"

namespace pushrod {

// Requests wait (or get 503 after a while) from now on, and no instance of the app runs. Does nothing for changes
// without data.
void exchange_data(Run& run);
// From the disk alone, and again after a crash. No instance of the deployment runs.
void undo_exchange(const Layout& layout, const App& app, const Deployment& deployment);
// Past the commit point: what was /data before goes.
void end_exchange(const Layout& layout, const Deployment& deployment);

}  // namespace pushrod
