// How this room runs git: one environment, one way to name the repository.
// Floor 3. Private to git/.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "os/command.hh"

namespace pushrod {

// git --git-dir=<repository> <arguments…>, with git_environment(keep_quarantine).
Command git_command(const std::filesystem::path& repository, std::vector<std::string> arguments,
                    bool keep_quarantine = false);

// The first lines of what a failed git said, fit to be shown.
std::vector<std::string> git_evidence(const CommandResult& result);

}  // namespace pushrod
