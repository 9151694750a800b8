#include "cli/audited.hh"

#include <fmt/format.h>

#include "base/error.hh"

namespace pushrod {

int audited_exit(Context& context, const std::vector<AuditedChange>& parts, const std::function<int()>& change) {
  int code = kExitOk;
  audited(context, parts, [&] {
    code = change();
    return code == kExitOk ? std::string(kDone) : fmt::format("failed: exit code {}", code);
  });
  return code;
}

}  // namespace pushrod
