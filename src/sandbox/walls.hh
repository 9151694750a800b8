// Which walls this kernel supports, of those that pushrod-shim raises around every sandbox (src/shim/walls.cc).
// The kernel itself is asked, because distributions backport features and switch them off.
#pragma once

#include <string>
#include <vector>

namespace pushrod {

struct Wall {
  std::string name;  // "ports of apps"
  bool stands = false;
  std::string found;   // what the kernel says
  std::string lost;    // what the code of an app can do without it
  std::string remedy;  // what brings it
};

// Always the same walls, in the same order.
std::vector<Wall> examine_walls();

// The same from what the kernel answers: Landlock's version, or the negative error number; seccomp there or not.
std::vector<Wall> walls_of(long landlock, bool seccomp);

}  // namespace pushrod
