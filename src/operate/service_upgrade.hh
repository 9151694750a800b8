// Services that become another version of their server, or have a copy.
#pragma once

#include <functional>
#include <string>

#include "operate/services.hh"
#include "services/dumps.hh"

namespace pushrod {

using Tell = std::function<void(const std::string&)>;

// Returns when the service runs on its new server. For administrators of the machine, as all three of these.
BackingService upgrade_service(Session& session, const ServiceName& name, const std::string& version, const Tell& tell);
// Back to the version and the data of before.
BackingService go_back(Session& session, const ServiceName& name, const Tell& tell);
// The content of a backup in place of what these databases hold. What was there is kept, as by an upgrade.
BackingService restore_content(Session& session, const ServiceName& name, const DumpFiles& dumps, const Tell& tell);
// Deletes what an upgrade has kept.
void forget_service(Session& session, const ServiceName& name);

// A new service with the same databases, to which no app is attached. Needs the right to make services.
BackingService clone_service(Session& session, const ServiceName& name, const ServiceName& copy);

}  // namespace pushrod
