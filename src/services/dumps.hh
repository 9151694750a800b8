// What a service holds, as a stream: its dump, in the format of the server's own tools (pg_dump -Fc; an RDB file), and
// back. For export and import, backups, clones and upgrades.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "services/services.hh"

namespace pushrod {

// The database that is meant: the one that is named, or the only one. Empty for types without databases. Throws
// UserError when there are several, or not that one.
std::string choose_database(const Server& server, const std::string& database);

// Writes the dump to the descriptor, for a client. Throws Error when it is not complete.
void dump_service(const ServicePlatform& platform, const BackingService& service, const std::string& database,
                  int output);
// The same into a new file. `look` is called some times a second, and throws to give up.
void dump_to_file(const ServicePlatform& platform, const BackingService& service, const std::string& database,
                  const std::filesystem::path& file, const std::function<void()>& look);
// Reads a dump in place of what the database holds, all or nothing. Connections of apps end; they come back to the new
// content. The caller holds the service's lock.
void restore_service(const ServicePlatform& platform, const BackingService& service, const std::string& database,
                     int input);

// Reads the dump into a server of its own, reads everything of it there, and removes the server. Throws Error when that
// does not work. A killed process leaves a service that the daemon destroys.
void try_dump(const ServicePlatform& platform, const std::string& type, const std::string& version, int input);

// Every database of one server into another that has none yet, as dumps. Their accounts do not come along: each
// database belongs to an account that cannot log in.
void copy_databases(const Server& from, const Server& to);

// The version to ask for, where there may be others than the one that made a dump: the same, or else the newest.
std::string version_like(const std::string& type, const std::string& version);

}  // namespace pushrod
