// Reading logs from where one stopped: one file, or a directory that s6-log writes.
// s6-log writes lines as "@<TAI64N> text" into `current`, renames it over `previous` to "@<TAI64N>.s" when it
// is full, and removes the oldest of these. The file that was read last stays open here: so it is known again under its
// new name, and no other file can get its inode.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "logs/filter.hh"
#include "os/files.hh"

namespace pushrod {

constexpr std::size_t kStampLength = 25;          // '@' and 24 hexadecimal digits (https://cr.yp.to/libtai/tai64.html)
constexpr std::size_t kMostLogRead = 64'000'000;  // at once; of more, the end

// Of a text that begins with a stamp.
WallTime time_of_stamp(std::string_view text);

struct LogText {
  std::string lines;        // whole, each with its newline
  bool is_partial = false;  // older ones, that have not been read before either, are left out
};

// A stretch of a file. A file that grows is read up to its last newline only.
struct LogPart {
  UniqueFd file;
  off_t from = 0;
  bool grows = true;
};
// To the end of each of them; the last one's `from` becomes where the reading stopped.
LogText read_parts(std::vector<LogPart>& parts, std::size_t most = kMostLogRead);
// Nothing is open when there is none.
UniqueFd open_log(const fs::path& file);

class LogReader {
 public:
  explicit LogReader(fs::path directory, std::size_t most = kMostLogRead)
      : directory_(std::move(directory)), most_(most) {}

  // What was written since the last call. The first one reads all, but for files that are older than is wanted.
  LogText read_on(const LogFilter& filter);

 private:
  std::vector<UniqueFd> newer_files(const LogFilter& filter, bool& is_partial) const;

  fs::path directory_;
  std::size_t most_;
  LogPart last_;
};

}  // namespace pushrod
