// Reading text files that grow, from where one stopped.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "os/files.hh"
#include "os/unique_fd.hh"

namespace pushrod {

constexpr std::size_t kMostLogRead = 64'000'000;  // at once; of more, the end

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

}  // namespace pushrod
