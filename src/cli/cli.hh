// The command line, here and over SSH.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/context.hh"

namespace pushrod {

// The whole program's command line. `serve` is wired in by main, since it is a room beside this one.
using ServeCommand = std::function<int(const std::filesystem::path& root)>;
int run_command_line(const std::vector<std::string>& arguments, ServeCommand serve);

// The commands that both the operator and a key may give, for a key.
int run_verbs(const std::filesystem::path& root, const std::vector<std::string>& words, const Caller& caller);

// Runs the action and shows what it throws on standard error, as people read it. Returns the exit code.
int report_errors(const std::function<int()>& action);

}  // namespace pushrod
