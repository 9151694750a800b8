// The outside tools that Pushrod uses: which of them are there, and new enough.
// They are asked themselves; nothing is concluded from a distribution's name.
#pragma once

#include <string>
#include <vector>

namespace pushrod {

// What `doctor` tells of one thing that Pushrod uses.
struct Finding {
  std::string name;
  bool good = false;
  bool required = true;
  std::string found;  // its version, or what is wrong with it
  std::string lost;   // without it
  std::string remedy;
  bool is_broken = false;  // not missing, but not as it should be
  std::string least = {};  // of a tool: the version that is needed, as "2.36"; empty: any
};

std::vector<Finding> examine_tools();
// Throws UserError, which names those without which nothing works and what brings them.
void require_tools();

}  // namespace pushrod
