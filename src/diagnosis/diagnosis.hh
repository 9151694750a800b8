// Explains why a program of an app failed: what its author can do about it, derived from what it printed, how it ended,
// and its files. Used for instances (engine/local), builds and release commands (build).
//
// A hint is given only when the evidence supports it; no hint is better than a wrong one. The tables are in
// output_patterns.cc (what programs print) and shell_errors.cc (exit codes 126 and 127).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/process.hh"

namespace pushrod {

enum class Stage { Build, Release, Instance };

struct FailedProgram {
  Stage stage = Stage::Instance;
  std::string app;                      // the app's name, for commands that a hint mentions
  std::vector<std::string> output{};    // raw lines, oldest first
  std::optional<int> exit_code{};       // absent if a signal ended it, or if it still runs
  std::string signal{};                 // "SIGKILL"; empty if none ended it
  bool out_of_memory = false;           // the kernel killed it for using more memory than its limit
  Limits limits{};                      // those that applied to it
  std::string type{};                   // of an instance: its process type
  std::filesystem::path code{};         // the app's own directory; only modes and first lines are read in it
  std::string directory = "/app";       // where the program sees it: /app, or below it
  std::set<std::string> variables{};    // the names in its environment
  std::optional<std::uint16_t> port{};  // its $PORT
};

// The hint; empty if the evidence supports none. When several lines explain the failure, the last one counts: programs
// print the error that ends them last. May quote the output, so that the caller redacts secrets in it.
std::string diagnose(const FailedProgram& failed);

// Does this line of output (without colours) look like the report of an error?
bool looks_like_error(std::string_view line);

// Does this line of a build tell that a server did not answer, which may be otherwise in a moment?
bool looks_transient(std::string_view line);

// What a person needs of an output: the first line that looks like an error, if it lies above the last lines, a line
// that tells how many lines are left out, and the last lines.
inline constexpr std::size_t kExcerptLines = 40;
std::vector<std::string> excerpt(const std::vector<std::string>& output, std::size_t last_lines = kExcerptLines);

}  // namespace pushrod
