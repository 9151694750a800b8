// What has been done to the tables since the first version, as SQL. PRAGMA user_version counts the migrations that a
// database has seen.
// Used inside store/ only.
#pragma once

#include <span>

namespace pushrod {

struct Migration {
  const char* script;
  bool is_transaction = true;  // otherwise it may be repeated
};

// The first makes an empty database one of the first version.
std::span<const Migration> migrations();

extern const char* const kFirstTables;      // first_tables.cc
extern const char* const kOperatingTables;  // first_tables.cc

}  // namespace pushrod
