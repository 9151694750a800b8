// `pushrod fallback`: what the daemon starts when a watched release keeps ending.
#pragma once

#include <cstdint>
#include <filesystem>

namespace pushrod {

// Runs the fallback of the deployment group (deploy/fallback.hh) and audits it. Tells its progress on standard error.
int run_fallback(const std::filesystem::path& root, std::int64_t group);

}  // namespace pushrod
