// From a release to the plans of its instances.
// They read the database, open sealed settings and look where checkouts lie; they change nothing.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "deploy/platform.hh"

namespace pushrod {

InstancePlan plan_instance(const Platform& platform, const Release& release, const Instance& instance);

// The same for a process that is not an instance: a job.
InstancePlan plan_process(const Platform& platform, const Release& release, const InstanceName& name,
                          const Process& process, std::optional<Port> port, const std::map<Port, Port>& ports = {});

// Plans for these instances; each must belong to a release of the app that the store still has. Throws UserError when a
// setting of theirs cannot be opened, or a directory of the machine cannot be mounted (host_mounts.hh). Code that only
// ends instances calls processes_of(), which needs no key.
std::vector<InstancePlan> plan_instances(const Platform& platform, const App& app,
                                         const std::vector<Instance>& instances);

// Their processes, as their releases have them, in the order of the instances. Each must belong to a release of the app
// that the store still has.
std::vector<Process> processes_of(const Platform& platform, const App& app, const std::vector<Instance>& instances);

// The services whose sockets its programs see: those that its settings come from and that the app is attached to.
std::vector<ServiceName> services_of(const Platform& platform, const Release& release);

}  // namespace pushrod
