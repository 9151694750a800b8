// An audited change whose outcome is an exit code.
#pragma once

#include "operate/audit.hh"
#include "tree/context.hh"

namespace pushrod {

// Records the change as done when it returns 0, else as failed with the exit code, which it returns.
int audited_exit(Context& context, const std::vector<AuditedChange>& parts, const std::function<int()>& change);

}  // namespace pushrod
