// Layers: installed packages, made once and shared by all releases and apps that want the same.
// A layer lies in layers/<name>, complete: it is made in layers/<name>.new and renamed. From then on nothing writes to
// it; sandboxes mount it read-only. A deployment holds the layer's lock, shared, from before it looks for the layer
// until its own end; the release that it records names the layer from then on. The lock is held exclusively by the
// deployment that makes the layer, and while it is removed. A kill leaves at most a ".new", which the next one to make
// it removes.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "build/plan.hh"
#include "deploy/platform.hh"
#include "deploy/run.hh"

namespace pushrod {

// How a layer that is not there is made.
struct LayerMaker {
  std::function<void()> prepare;  // before the lock is taken exclusively: waits for a build slot, which comes first
  std::function<void(const std::filesystem::path& directory)> make;  // in an empty directory
};

// Takes the lock, and makes the layer if it is not there. Returns the layer's name: `name`,
// or "<name>.<n>" for one that was made anew (`anew`: now; releases that have the one before keep it). Throws UserError
// when the deployment is cancelled while it waits.
std::string provide_layer(Run& run, const std::string& name, bool anew, const LayerMaker& maker);

// Throws UserError for a directory of /app that is to be writable, and lies in a layer that does not have it: instances
// could not start.
void check_writable(const Layout& layout, const ReleaseMounts& mounts, const WritablePaths& writable);

// Those that a release or a kept build names.
std::set<std::string> layers_in_use(const Platform& platform);
// Removes the others, but for those of deployments that go on.
void remove_unused_layers(const Platform& platform);

}  // namespace pushrod
