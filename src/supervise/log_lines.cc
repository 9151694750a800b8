// The last lines of what a service wrote, from s6-log's directory.
// Files: "current", and "@<time>.s" or ".u" for those rotated, whose names sort by time.
#include <algorithm>

#include "base/text.hh"
#include "os/files.hh"
#include "supervise/supervise.hh"

namespace pushrod {

namespace {

constexpr std::size_t kStampSize = 26;  // "@", 24 hexadecimal digits, a space
constexpr std::size_t kFileCap = std::size_t{128} << 20;

std::string without_stamp(std::string line) {
  const bool stamped = line.size() >= kStampSize && line.front() == '@' && line[kStampSize - 1] == ' ';
  return stamped ? line.substr(kStampSize) : line;
}

}  // namespace

std::vector<std::string> last_log_lines(const fs::path& log_directory, std::size_t most) {
  std::vector<std::string> files;
  for (const std::string& name : list_directory(log_directory)) {
    if (name.starts_with('@') && (name.ends_with(".s") || name.ends_with(".u"))) files.push_back(name);
  }
  // Rotation goes from "current" over "previous" to a stamped name.
  files.insert(files.end(), {"previous", "current"});

  std::vector<std::string> lines;
  for (auto file = files.rbegin(); file != files.rend() && lines.size() < most; ++file) {
    const auto content = read_file(log_directory / *file, kFileCap);
    if (!content) continue;
    std::vector<std::string> older = lines_of(*content);
    const std::size_t wanted = std::min(older.size(), most - lines.size());
    lines.insert(lines.begin(), older.end() - static_cast<std::ptrdiff_t>(wanted), older.end());
  }
  std::transform(lines.begin(), lines.end(), lines.begin(), without_stamp);
  return lines;
}

}  // namespace pushrod
