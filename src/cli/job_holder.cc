#include "cli/job_holder.hh"

#include <fmt/format.h>

#include "base/error.hh"
#include "deploy/jobs.hh"
#include "os/background.hh"
#include "os/file_lock.hh"
#include "tree/context.hh"

namespace pushrod {

int hold_job(const std::filesystem::path& root, std::int64_t id) {
  const Layout layout(root);
  std::optional<FileLock> lock;
  const bool is_holder = go_to_background([&] {
    lock = FileLock::try_acquire(layout.job_lock(id));
    if (!lock) throw Error(fmt::format("another process already holds job {}", id));
    lock->announce(fmt::format("job {}", id));
  });
  if (!is_holder) return kExitOk;
  Context context(root, {});
  const auto platform = context.platform();
  const auto job = context.store().job(id);
  if (job) look_after_job(platform, id, timeout_of(platform, *job));
  return kExitOk;
}

}  // namespace pushrod
