// What a service holds, as a stream: its dump, in the format of the server's own tools (pg_dump -Fc; an RDB file), and
// back. For export and import, backups, clones and upgrades.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "services/services.hh"

namespace pushrod {

// What it takes to work on it. Throws UserError when it does not run.
Server running_server(const ServicePlatform& platform, const BackingService& service);

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

// The databases by name ("": all that a server without databases holds), and the file of the dump of each.
using DumpFiles = std::map<std::string, std::filesystem::path>;
// Every database that a service holds.
std::vector<std::string> all_databases(const Server& server);
// Reads each dump in place of what its database holds; one that is not there is made, for the apps that are attached to
// it in this service. Not all or nothing: for a server that is discarded after a failure.
void read_dumps(const Server& server, const DumpFiles& dumps, const std::vector<ServiceAttachment>& attachments);

// Every database of one server into another that has none yet, as dumps. Their accounts do not come along: each
// database belongs to an account that cannot log in.
void copy_databases(const Server& from, const Server& to);

// The version to ask for, where there may be others than the one that made a dump: the same, or else the newest.
std::string version_like(const std::string& type, const std::string& version);

}  // namespace pushrod
