// What `doctor` says about one thing that Pushrod needs or uses.
#pragma once

#include <string>

namespace pushrod {

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

}  // namespace pushrod
