// The tables, and how an older database becomes one of today.
// Used inside store/ only.
#pragma once

#include "store/connection.hh"

namespace pushrod {

// Brings the database to this program's schema, each migration in a transaction of its own. Writes nothing when it is
// there already. Throws UserError when the file is of a newer Pushrod, or not Pushrod's at all.
void prepare_schema(Connection& connection);

}  // namespace pushrod
