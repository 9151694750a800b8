// SQLite's files in an app's /data, as they were at one moment: copied by SQLite's own backup, while the app goes on.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "archive/transfer.hh"

namespace pushrod {

struct SqliteCopies {
  std::vector<std::string> databases;  // relative to /data
  std::vector<std::string> skipped;    // "path: why": read as other files are
};

// Copies into the transfer's sqlite/. It is the program itself that copies, in a sandbox, since it reads what an app
// has written: SQLite follows links, and opens further files beside a database.
SqliteCopies copy_sqlite(const Layout& layout, const Transfer& transfer, const std::filesystem::path& data);

// What that program does (`pushrod copy-sqlite`), inside: from /data to /copies. Prints the answer, a JSON document.
int copy_sqlite_inside();

}  // namespace pushrod
