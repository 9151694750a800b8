// The process that looks after a detached job.
#pragma once

#include <cstdint>
#include <filesystem>

namespace pushrod {

// `pushrod job --id ID`: goes to the background and looks after the job to its end. Its row is there.
int hold_job(const std::filesystem::path& root, std::int64_t id);

}  // namespace pushrod
