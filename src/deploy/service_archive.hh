// A service by itself as an archive: a dump of each of its databases, and what it takes to make it again. Accounts are
// not in it: they belong to attachments.
#pragma once

#include <optional>
#include <string>

#include "archive/tar.hh"
#include "deploy/platform.hh"
#include "services/dumps.hh"

namespace pushrod {

// Throws UserError when the service is gone, keeps nothing, or does not run.
PackList prepare_service_archive(const Platform& platform, const Transfer& transfer, const ServiceName& name);

struct ArchivedServer {
  std::string name, type, version;
  std::uint64_t memory = 0;
  std::uint64_t disk = 0;    // 0: what server.toml says
  unsigned cpu_percent = 0;  // 0: not limited
  DumpFiles dumps{};         // in the transfer
  WallTime made{};
};
// Of a transfer that was filled with it. Throws UserError for what is none, or is damaged.
ArchivedServer read_service_archive(const Transfer& transfer);

// Reads each dump into a server of its own. Returns how many there are. Throws UserError with what is wrong.
std::size_t verify_service_archive(const Platform& platform, const Transfer& transfer);

// A new service with this content, to which no app is attached. After a failure, or a kill, nothing of it is left.
BackingService create_from_archive(const Platform& platform, const ArchivedServer& archive, const ServiceName& name);

}  // namespace pushrod
