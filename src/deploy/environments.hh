// From a release to the environments of its programs: each kind of program has one function here, and model/environment
// puts the layers together. They read the database and open sealed settings; they change nothing, and throw UserError
// when a setting cannot be opened.
#pragma once

#include <map>
#include <optional>

#include "build/builder.hh"
#include "deploy/platform.hh"
#include "model/environment.hh"

namespace pushrod {

Environment build_environment(const Platform& platform, const Release& release, const BuildPlan& plan);
// What a layer of the plan is made with, to be composed: nothing of it tells which app it is for, so that others can
// share the layer. What the settings name decides whether it can be a layer at all.
EnvironmentLayers layers_of_layer(const Platform& platform, const Release& release, const BuildPlan& plan,
                                  const LayerPlan& layer);
Environment release_command_environment(const Platform& platform, const Release& release);

// Of an instance or a job. `port`: where it is to listen, if requests come to it; `ports`: further ones, from the
// number that the manifest lists to the leased one.
Environment process_environment(const Platform& platform, const Release& release, const InstanceName& name,
                                std::optional<Port> port, const std::map<Port, Port>& ports);

}  // namespace pushrod
