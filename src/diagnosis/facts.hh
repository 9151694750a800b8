// What the tables of this room look at. Used inside diagnosis/ only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diagnosis/diagnosis.hh"

namespace pushrod {

// A failed program with its output fit to be matched: no colours, no control characters.
struct Facts {
  const FailedProgram& failed;
  std::vector<std::string> lines;

  bool builds() const { return failed.stage == Stage::Build; }
};

// A line that a pattern matches, by its index, and what the pattern captured.
struct Match {
  std::size_t line = 0;
  std::string captured{};
};

// output_patterns.cc: from what it printed. Empty if no pattern applies.
std::string explain_output(const Facts& facts);
// limits.cc: from the limits that applied to it, and how the kernel says that one was reached.
std::string explain_limit(const Facts& facts);
// shell_errors.cc: from exit code 126 or 127, and what shells print with them.
std::string explain_shell_error(const Facts& facts);
// written_paths.cc: what to do about a path that the program could not write to.
std::string explain_unwritable(const Facts& facts, const std::string& path);
// dependencies.cc: where a missing module or program comes from.
std::string explain_missing_program(const Facts& facts, const std::string& name);
std::string explain_missing_module(const Facts& facts, std::string_view language, const std::string& module);
// connections.cc: a server that the program needs and does not reach, and ports that it may not listen on.
std::string explain_refused_connection(const Facts& facts, const Match& match);
std::string explain_failed_listen(const Facts& facts, const Match& match);

// Is the name a file or directory in the app's tree (no path that leaves it, no symlink)?
bool is_in_code(const Facts& facts, const std::string& path);
// "/app/tmp/x", "./tmp/x" and "tmp/x" are "tmp/x"; absent for a path outside of the app's own directory, and for that
// itself.
std::optional<std::string> path_in_app(const Facts& facts, std::string path);

}  // namespace pushrod
