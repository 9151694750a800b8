// The process of a fallback: a deployment needs one of its own, and the daemon has threads.
#include "cli/fallback.hh"

#include <unistd.h>

#include "base/error.hh"
#include "deploy/fallback.hh"
#include "operate/change.hh"
#include "os/stop_signal.hh"
#include "tree/context.hh"

namespace pushrod {

int run_fallback(const std::filesystem::path& root, std::int64_t group) {
  const int cancel_fd = stop_signal_fd();
  Context context(root, {});
  const auto platform = context.platform();
  std::vector<AuditedChange> parts;
  for (const auto& watch : platform.store.watches()) {
    if (watch.group == group && watch.is_failing()) parts.push_back({watch.app.str(), "fallback", watch.failure});
  }
  if (parts.empty()) return kExitOk;
  Journal journal(STDERR_FILENO);
  const auto outcome = audited_outcome(context, parts, [&] { return fall_back(platform, group, journal, cancel_fd); });
  return outcome.live ? kExitOk : kExitRequest;
}

}  // namespace pushrod
