// Programs that a person runs beside a service, as its administrator.
#pragma once

#include <string>
#include <vector>

#include "operate/services.hh"
#include "os/attached.hh"

namespace pushrod {

// Runs them with these streams and returns the exit code. Both need the right to deploy all apps that are attached:
// the administrator sees the data of all. The program sees the service's socket, and neither its files nor an app's.
int run_in_service(Session& session, const ServiceName& name, const std::vector<std::string>& words,
                   const Attachment& attachment);
// The usual client: psql, redis-cli. `database`: of several; empty: the only one, or the administrator's.
int run_console(Session& session, const ServiceName& name, const std::string& database, const Attachment& attachment);

// Its dump to the descriptor, and back: all or nothing. The same right.
void export_service(Session& session, const ServiceName& name, const std::string& database, int output);
void import_service(Session& session, const ServiceName& name, const std::string& database, int input);

}  // namespace pushrod
