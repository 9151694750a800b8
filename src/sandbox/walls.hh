// Which of the walls that pushrod-shim raises around every sandbox this kernel has (src/shim/walls.cc raises them).
// Asked of the kernel itself, since distributions backport and switch off.
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
