// What a directory tree takes on the disk, also one that an app has filled.
#pragma once

#include <cstdint>
#include <filesystem>

#include "os/clock.hh"

namespace pushrod {

struct DiskUse {
  std::uint64_t bytes = 0;    // blocks on the disk, of the directories too
  std::uint64_t entries = 0;  // what lies in it, itself not counted
  bool complete = true;       // false: a limit was reached, or a part could not be looked at; the rest is counted
};

struct DiskUseLimits {
  std::uint64_t entries = 20'000'000;
  Milliseconds time{60'000};
};

// Follows no symlink and enters no other file system. Takes time in proportion to the entries, however deep they lie,
// and a handful of descriptors. A directory that its owner (us) has made unreadable is opened for the time of the look;
// after a crash it stays open to its owner. Nothing is thrown: what is not there is empty.
DiskUse measure_disk_use(const std::filesystem::path& path, const DiskUseLimits& limits = {});

}  // namespace pushrod
