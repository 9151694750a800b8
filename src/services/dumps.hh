// What a service holds, as a stream: its dump, in the format of the server's own tools (pg_dump -Fc; an RDB file), and
// back. For export and import, backups, clones and upgrades.
#pragma once

#include <string>

#include "services/services.hh"

namespace pushrod {

// The database that is meant: the one that is named, or the only one. Empty for types without databases. Throws
// UserError when there are several, or not that one.
std::string choose_database(const Server& server, const std::string& database);

// Writes the dump to the descriptor. Throws Error when it is not complete.
void dump_service(const ServicePlatform& platform, const BackingService& service, const std::string& database,
                  int output);
// Reads a dump in place of what the database holds, all or nothing. Connections of apps end; they come back to the new
// content. The caller holds the service's lock.
void restore_service(const ServicePlatform& platform, const BackingService& service, const std::string& database,
                     int input);

}  // namespace pushrod
