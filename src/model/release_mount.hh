// What a release has in its sandboxes beside /app and /data: directories that its builder asked for.
// Plain values, and their JSON form, in which a release stores them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pushrod {

enum class Access { None, Read, Write };
std::string_view to_string(Access access);  // "none", "read", "write"

struct ReleaseMount {
  std::string directory;            // of the checkout, beside its tree: "venv"; or of the layer
  std::string path;                 // in the sandbox: "/venv"
  Access building = Access::Write;  // in the build
  Access running = Access::Read;    // in the release command, instances and jobs
  std::string layer{};              // the layer that has the directory (Layout::layer()); empty: the checkout
  bool operator==(const ReleaseMount&) const = default;
};
// In the order in which they are mounted.
using ReleaseMounts = std::vector<ReleaseMount>;

std::string to_json(const ReleaseMounts& mounts);
// Throws Error for a text that to_json() did not write.
ReleaseMounts mounts_from_json(const std::string& json);

}  // namespace pushrod
