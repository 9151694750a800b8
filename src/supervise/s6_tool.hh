// Runs one of s6's control programs; each answers at once.
// Used inside supervise/ only.
#pragma once

#include <string>
#include <vector>

#include "os/command.hh"

namespace pushrod {

// Returns what it printed; throws Error naming the program when it fails.
inline std::string run_s6_tool(std::vector<std::string> argv) {
  Command command;
  command.argv = std::move(argv);
  command.deadline = std::chrono::seconds{10};
  return run_checked(command);
}

}  // namespace pushrod
