// Files that tell other platforms what to do. Only those are named whose content would change what happens.
#include <fmt/format.h>

#include "base/text.hh"
#include "build/advice.hh"

namespace pushrod {

std::vector<std::string> files_of_other_platforms(const Situation& situation) {
  std::vector<std::string> lines;
  if (!situation.ignored.empty()) {
    lines.push_back(fmt::format("app.json: not used are {}", escaped(join(situation.ignored, ", "), 400)));
  }
  for (const char* name : {"Aptfile", "apt.txt"}) {
    if (!in_tree(situation.directory, name)) continue;
    lines.push_back(
        fmt::format("{} is not read: Debian's packages are installed on the machine, by its administrator, "
                    "with apt-get install",
                    name));
  }
  return lines;
}

}  // namespace pushrod
