// The databases of an app, in the services that it is attached to: out as dumps, and back.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "deploy/import.hh"
#include "deploy/journal.hh"
#include "deploy/platform.hh"
#include "model/archived_app.hh"

namespace pushrod {

struct AppDatabase {
  ArchivedService described;
  BackingService service;
  ServiceAttachment attachment;
  bool is_shared = false;  // other apps work on the same database
  bool is_kept = true;     // otherwise it is a cache, and there is nothing to dump
};

// Of what the app is attached to now.
std::vector<AppDatabase> databases_of(const Platform& platform, const App& app);

// Dumps the database into a new file. Throws UserError when its service does not run, or when the disk is about to be
// full.
void dump_database(const Platform& platform, const BackingService& service, const std::string& database,
                   const std::filesystem::path& file);

// Reads the dump in place of the app's database in this service, which is started if it does not run. Does nothing when
// the app is not attached to it.
void load_database(const Platform& platform, const App& app, ServiceId service, const std::filesystem::path& dump);

// After begin_import(): creates the services of the archive under names that are free, attaches the app, and reads the
// dumps. Throws what went wrong; end_import() removes what was made.
void import_databases(const Platform& platform, const Transfer& transfer, const ReadArchive& archive, const App& app,
                      Journal& journal, int cancel_fd);
// Of an import that failed: those that it has made for the app.
void destroy_imported_services(const Platform& platform, AppId app);

// Reads each dump of the archive into a server of its own. Returns how many there are. Throws UserError with what is
// wrong.
std::size_t verify_dumps(const Platform& platform, const Transfer& transfer, const ArchivedApp& app);

}  // namespace pushrod
