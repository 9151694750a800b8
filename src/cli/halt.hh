// `pushrod halt`: what the watchdog starts to stop an app that keeps Pushrod itself from working.
#pragma once

#include <filesystem>
#include <string>

namespace pushrod {

// Stops the app as `stop` does, and records the reason in its deployments and in the audit. Does nothing when there is
// no such app, or it is already stopped. Returns the exit code.
int run_halt(const std::filesystem::path& root, const std::string& app, const std::string& reason);

}  // namespace pushrod
