// Directories that the tools of a language make, and that belong to the machine on which they were made.
#include <fmt/format.h>

#include "base/text.hh"
#include "build/advice.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

std::string is_committed(const std::string& directory, const std::string& what) {
  return fmt::format(
      "{0}/ is in the commit: it is {1}, made for another machine: git rm -r --cached {2}, and add it "
      "to .gitignore",
      escaped(directory), what, escaped(shell_quoted(directory)));
}

}  // namespace

std::vector<std::string> likely_mistakes(const Situation& situation) {
  std::vector<std::string> lines;
  for (const std::string& name : situation.names) {
    const fs::path path = situation.directory / name;
    if (!is_directory(path)) continue;
    if (name == "node_modules") lines.push_back(is_committed(name, "what npm installs"));
    if (in_tree(path, "pyvenv.cfg")) lines.push_back(is_committed(name, "a virtualenv"));
  }
  return lines;
}

}  // namespace pushrod
