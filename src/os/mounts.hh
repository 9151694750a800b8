// What is mounted where, as /proc/PID/mountinfo tells it (proc(5)).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace pushrod {

// A directory within its file system. It is the same for every process, independent of its root directory and mounts.
struct DevicePath {
  std::string device;  // "MAJOR:MINOR"; differs from st_dev on btrfs
  std::filesystem::path path;
  bool operator==(const DevicePath&) const = default;
};

struct MountEntry {
  std::filesystem::path point;  // below the root directory of the process
  DevicePath shown;             // what is seen there
};

// In the order of the file: a later mount hides an earlier one at the same point. Lines that are no mounts are left
// out.
std::vector<MountEntry> parse_mountinfo(std::string_view text);

// Those that a process sees, given its directory in /proc. Empty when it has ended or belongs to another user.
std::vector<MountEntry> mounts_of(const std::filesystem::path& process);

// Where an absolute path without symbolic links lies; empty when no mount holds it. It need not exist.
DevicePath device_path_of(const std::filesystem::path& path, const std::vector<MountEntry>& mounts);

}  // namespace pushrod
