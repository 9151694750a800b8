// Writing down who changes what: every verb that changes something does it in here, and so does a push.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/context.hh"

namespace pushrod {

struct AuditedChange {
  std::string app;     // empty: the machine
  std::string action;  // the verb: "restart", "key add"
  std::string detail;  // what of it; never a setting's value
};

// Records the change before it begins, makes it, and records how it ended: done when it returns 0, else failed, with
// the message of what it throws. A record without an outcome is that of a process that goes on, or was killed.
int audited(Context& context, const AuditedChange& what, const std::function<int()>& change);
// One change of several apps: a record for each.
int audited(Context& context, const std::vector<AuditedChange>& parts, const std::function<int()>& change);

// The same in two halves, for a change that tells its end in another way. `outcome`: "done", or why not.
std::int64_t begin_audit(Context& context, const AuditedChange& what);
void end_audit(Context& context, std::int64_t record, const std::string& outcome);

}  // namespace pushrod
