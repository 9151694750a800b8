// How this room runs git: one environment, one way to name the repository.
// Private to git/.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "git/repository.hh"
#include "os/command.hh"

namespace pushrod {

// git --git-dir=<repository> <arguments…>, with git_environment(keep_quarantine). It is confined, since what it reads
// was written by a client.
Command git_command(const Repository& repository, std::vector<std::string> arguments, bool keep_quarantine = false);

// What a git may use that reads what clients have pushed: `memory` in all, what its program and libraries take
// included.
Confinement git_confinement(std::uint64_t memory);

// Adds settings, which count over those of the repository: "core.bigFileThreshold" → "1g".
void configure(Environment& environment, const std::map<std::string, std::string>& settings);

// What of a git's memory grows with its threads stays within bounds: at most four of them.
std::string few_threads();

// The first lines of what a failed git said, fit to be shown.
std::vector<std::string> git_evidence(const CommandResult& result);

}  // namespace pushrod
