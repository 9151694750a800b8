// From a release to the plans of its instances.
// Pure but for the file system question where the checkout lies.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "deploy/platform.hh"
#include "model/environment.hh"

namespace pushrod {

// What its environments are composed of: what the builder added, the settings, opened, and the platform's own variables
// that all programs of the release have. The caller adds what belongs to one of them (PORT, PROCESS, INSTANCE).
EnvironmentLayers environment_layers(const Platform& platform, const Release& release, EnvironmentLayers::For use);

InstancePlan plan_instance(const Platform& platform, const Release& release, const Instance& instance);

// The same for a process that is no instance: a job.
InstancePlan plan_process(const Platform& platform, const Release& release, const InstanceName& name,
                          const Process& process, std::optional<Port> port, const std::map<Port, Port>& ports = {});

// Plans for these instances; each must belong to a release of the app that the store still has. Throws UserError when a
// setting of theirs cannot be opened: who only ends instances asks for their processes, which need no key.
std::vector<InstancePlan> plan_instances(const Platform& platform, const App& app,
                                         const std::vector<Instance>& instances);

// What the releases of these instances say of their types. As above, but for the key.
std::vector<Process> processes_of(const Platform& platform, const App& app, const std::vector<Instance>& instances);

}  // namespace pushrod
