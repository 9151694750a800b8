// The lock files that a killed git leaves behind, and which would stop every git after it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "git/repository.hh"

namespace pushrod {

// Where git locks a file of its own.
std::filesystem::path lock_of(const std::filesystem::path& file);
bool any_is_there(const std::vector<std::filesystem::path>& locks);

// The arguments of a git that waits for the locks of references, for as long as it takes to call one left over.
std::vector<std::string> with_patience(std::vector<std::string> arguments);

// Runs a git that takes these locks, which git holds for milliseconds. Those that were left over are removed: at once
// when the clock says that they are three seconds old, else when git has waited so long and the very same file is still
// there (the clock may have been set). `input` is for its standard input.
CommandResult run_despite_stale_locks(const Repository& repository, std::vector<std::string> arguments,
                                      const std::vector<std::filesystem::path>& locks, const std::string& input = {},
                                      std::chrono::milliseconds deadline = std::chrono::minutes{1});

}  // namespace pushrod
