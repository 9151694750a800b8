// How much a service's data may take on the disk. Nothing in the kernel enforces that: a server that meets a quota
// while it writes its log of changes ends, and cannot start again. So the daemon looks, and has the server refuse what
// makes the data larger, until there is less. Where it grows on (PostgreSQL lets a session write if it insists), the
// server is stopped in its usual way.
#pragma once

#include <string>

#include "services/services.hh"

namespace pushrod {

// What is wrong and what to do, for people; empty: nothing.
std::string disk_problem(const Settings& settings, const BackingService& service);

// The daemon's part: looks at all services with a limit. True when there are any.
bool keep_disk_limits(const ServicePlatform& platform);
// Looks at one. The caller holds its lock.
void keep_disk_limit(const ServicePlatform& platform, const BackingService& service);

}  // namespace pushrod
