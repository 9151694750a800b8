// Reading the directory that a service's logger (s6-log) writes, from where one stopped.
// s6-log writes lines as "@<TAI64N> text" into `current`, renames it over `previous` to "@<TAI64N>.s" when it
// is full, and removes the oldest of these. The file that was read last stays open here: so it is known again under its
// new name, and no other file can get its inode.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "os/clock.hh"
#include "os/log_file.hh"

namespace pushrod {

constexpr std::size_t kStampLength = 25;  // '@' and 24 hexadecimal digits (https://cr.yp.to/libtai/tai64.html)

// Of a text that begins with a stamp.
WallTime time_of_stamp(std::string_view text);

class LogReader {
 public:
  explicit LogReader(fs::path directory, std::size_t most = kMostLogRead)
      : directory_(std::move(directory)), most_(most) {}

  // What was written since the last call. The first one reads all, but for files with nothing newer than `since`.
  LogText read_on(std::optional<WallTime> since);

 private:
  std::vector<UniqueFd> newer_files(std::optional<WallTime> since, bool& is_partial) const;

  fs::path directory_;
  std::size_t most_;
  LogPart last_;
};

}  // namespace pushrod
