// What Pushrod reads in a pyproject.toml.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace pushrod {

struct PyProject {
  std::string own_name;                   // in normal form; empty: not given
  std::string requires_python;            // [project] requires-python, or Poetry's; empty: not given
  std::vector<std::string> dependencies;  // [project] dependencies, as requirements.txt has them
  bool computes_dependencies = false;     // they are dynamic, or in Poetry's own tables: only a build knows them
  bool is_package = false;                // pip can build and install it
  std::vector<std::string> names;         // of all packages that the app itself asks for, in normal form (PEP 503)
  bool has_programs = false;              // it defines programs that are there when it is installed
};

// Absent for a text that is not such a file; what reads it says why.
std::optional<PyProject> parse_pyproject(const std::string& text);

}  // namespace pushrod
