// The command line, here and over SSH.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tree/context.hh"

namespace pushrod {

// Verbs of the program that belong to rooms above this one; main passes them in.
struct OtherDoors {
  std::function<int(const std::filesystem::path& root)> serve;
  std::function<int(const std::filesystem::path& root, std::int64_t key_id)> gate;
};

// The whole program's command line.
int run_command_line(const std::vector<std::string>& arguments, const OtherDoors& doors);

// The commands that both the operator and a key may give, for a key.
int run_verbs(const std::filesystem::path& root, const std::vector<std::string>& words, const Caller& caller);

// Runs the action and shows what it throws on standard error, as people read it. Returns the exit code.
int report_errors(const std::function<int()>& action);

}  // namespace pushrod
