// Looks at the upper directory of an overlay, which a build has filled: follows no symlink, and goes no deeper than
// builds do.
#include "build/changes.hh"

#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "os/files.hh"

namespace pushrod {

namespace {

constexpr unsigned kDeepest = 64;
constexpr std::array<std::string_view, 5> kCaches{".astro", ".cache", ".vite", ".vite-temp", "__pycache__"};

// Its entries of the layer are gone.
bool is_replaced(const fs::path& directory) {
  return lgetxattr(directory.c_str(), "user.overlay.opaque", nullptr, 0) > 0;
}

}  // namespace

bool holds_changes(const fs::path& upper) {
  std::vector<std::pair<fs::path, unsigned>> left{{upper, 0}};
  while (!left.empty()) {
    const auto [directory, depth] = std::move(left.back());
    left.pop_back();
    if (depth > kDeepest || is_replaced(directory)) return true;
    for (const auto& name : list_directory(directory)) {
      if (std::find(kCaches.begin(), kCaches.end(), name) != kCaches.end()) continue;
      if (!is_directory(directory / name)) return true;
      left.emplace_back(directory / name, depth + 1);
    }
  }
  return false;
}

}  // namespace pushrod
