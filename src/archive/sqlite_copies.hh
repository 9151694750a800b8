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

// Checks each SQLite database below the directory (PRAGMA integrity_check), in a sandbox as well; returns how many
// there are. Throws UserError with what is wrong.
std::size_t check_sqlite(const Layout& layout, const std::filesystem::path& data);

// What that program does (`pushrod copy-sqlite`), inside: from /data to /copies. Prints the answer, a JSON document.
int copy_sqlite_inside();
int check_sqlite_inside();  // of /data; prints how many, or what is wrong

}  // namespace pushrod
