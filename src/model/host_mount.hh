// Directories of this machine in the sandboxes of apps: what the operator offers by name ([mounts] of server.toml), and
// what an app's files ask for ([mounts] of pushrod.toml).
// Plain values; the second with its JSON form, in which a release stores it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/names.hh"

namespace pushrod {

struct OfferedDirectory {
  std::string path;
  bool read_only = true;
  std::vector<AppName> apps{};  // that may mount it
};
using OfferedDirectories = std::map<MountName, OfferedDirectory>;

struct HostMount {
  std::string path;  // in the sandbox: "/srv/media"
  MountName name;
  bool read_only = false;  // the app wants no more
  bool operator==(const HostMount&) const = default;
};
// Sorted by path; none lies below another one.
using HostMounts = std::vector<HostMount>;

std::string to_json(const HostMounts& mounts);
// Throws Error for a text that to_json() did not write.
HostMounts host_mounts_from_json(const std::string& json);

// One of them as a sandbox gets it.
struct HostDirectory {
  std::string from;  // on this machine
  std::string to;    // in the sandbox
  bool writable = false;
};
using HostDirectories = std::vector<HostDirectory>;

// Both are normal forms of absolute paths.
bool lies_at_or_below(const std::string& path, const std::string& directory);

}  // namespace pushrod
