// Which directories of /app the processes of a release may write to: from what the app asks for and what its framework
// is known to need, to what a sandbox mounts (sandbox/sandbox.hh).
#pragma once

#include <filesystem>

#include "build/builder.hh"
#include "model/process.hh"

namespace pushrod {

// What frameworks are known to write to at run time: Next.js to .next, Rails to tmp and log, … From the app's files and
// the commands of its processes; sorted, unique. Symlinks are not followed, and what cannot be read says nothing.
WritablePaths known_writable(const std::filesystem::path& directory, const ProcessTable& processes);

// Does its Python code name a database of SQLite in a directory of the app, as new projects of Django do, and no
// variable that may name another one? It is lost when the instance ends.
bool has_database_beside_code(const std::filesystem::path& directory);

// A file of its Node.js code that writes files and names no place for them, such as /tmp, DATA_DIR or a variable of its
// own: relative to the directory; empty: there is none. Code of tests, scripts and configuration does not count.
std::string code_that_writes(const std::filesystem::path& directory, const ProcessTable& processes);

// For built code: the directories of the root that must be writable for these paths of the app's directory, sorted,
// none inside of another. "." stands for all of the root; the path of a file for its directory, and so does one that is
// not there and looks like a file's ("db.sqlite3"). A directory that is missing is made. A symlink within the root is
// followed; one to /data or /tmp needs nothing.
// Throws UserError for what of `named` cannot be made writable; leaves that of `known` out.
WritablePaths prepare_writable(const AppTree& tree, const WritablePaths& named, const WritablePaths& known);

}  // namespace pushrod
