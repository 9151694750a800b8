// A service gets another major version of its server, its data anew in the same one, or the content of a backup.
//
// A second server, on a directory of its own, gets the data: all databases and accounts of the old server (PostgreSQL),
// or a copy of its directory (types whose newer servers take data over); a restore then reads its dumps there. When it
// answers, the two directories change places, which is the commit point. The old directory is kept beside it, as
// data.old, until it is forgotten.
//
// The row has a mark from the beginning to the end, while the requests of its apps wait (deploy/traffic.cc); the new
// directory has the same mark. Where a process was killed, the daemon finds the mark in the data directory, and
// finishes, or does not find it, and goes back.
#pragma once

#include <functional>
#include <string>

#include "services/dumps.hh"
#include "services/services.hh"

namespace pushrod {

// What an upgrade tells, and what it asks of its caller.
struct UpgradeCalls {
  std::function<void()> traffic_changed;         // requests of apps wait from now on, or go on
  std::function<void(const std::string&)> tell;  // a line for people
};

// The caller holds the service's lock for these. Throws UserError when that cannot be done, and Error when it failed:
// then the service is as it was. The version must be installed.
void upgrade_service(const ServicePlatform& platform, const BackingService& service, const std::string& version,
                     const UpgradeCalls& calls);
// Reads dumps in place of what these databases hold, all or nothing; its other databases, and all accounts, stay.
void restore_content(const ServicePlatform& platform, const BackingService& service, const DumpFiles& dumps,
                     const UpgradeCalls& calls);
// Back to the data that is kept, and its version; what is there now is kept instead.
void go_back(const ServicePlatform& platform, const BackingService& service, const UpgradeCalls& calls);
// Deletes the data that is kept.
void forget_former(const ServicePlatform& platform, const BackingService& service);

// The daemon's part, with the lock: finishes or undoes an upgrade whose process was killed. The row as it is then.
BackingService settle_upgrade(const ServicePlatform& platform, const BackingService& service);

}  // namespace pushrod
