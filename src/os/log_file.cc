#include "os/log_file.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.hh"

namespace pushrod {

namespace {

off_t size_of(const UniqueFd& file) {
  struct stat status = {};
  if (fstat(file.get(), &status) != 0) throw_errno("looking at a log");
  return status.st_size;
}

void append(std::string& text, int file, off_t from, off_t to) {
  auto at = text.size();
  text.resize(at + static_cast<std::size_t>(to - from));
  while (at < text.size()) {
    const auto got = pread(file, text.data() + at, text.size() - at, from);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("reading a log");
    if (got == 0) break;  // it was cut short meanwhile
    at += static_cast<std::size_t>(got);
    from += got;
  }
  text.resize(at);
}

}  // namespace

UniqueFd open_log(const fs::path& file) {
  UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd && errno != ENOENT) throw_errno("opening " + file.string());
  return fd;
}

LogText read_parts(std::vector<LogPart>& parts, std::size_t most) {
  std::vector<off_t> ends;
  off_t left_out = -static_cast<off_t>(most);
  for (auto& part : parts) {
    ends.push_back(size_of(part.file));
    part.from = std::min(part.from, ends.back());
    left_out += ends.back() - part.from;
  }
  LogText text;
  text.is_partial = left_out > 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto& [file, from, grows] = parts[i];
    const auto passed_over = std::clamp<off_t>(left_out, 0, ends[i] - from);
    left_out -= passed_over;
    from += passed_over;
    const auto before = text.lines.size();
    append(text.lines, file.get(), from, ends[i]);
    if (grows) {
      const auto newline = text.lines.rfind('\n');
      text.lines.resize(std::max(before, newline == std::string::npos ? 0 : newline + 1));
    }
    from += static_cast<off_t>(text.lines.size() - before);
    if (!text.lines.empty() && text.lines.back() != '\n') text.lines += '\n';
  }
  // Where the reading began in the middle of a line.
  if (text.is_partial) text.lines.erase(0, text.lines.find('\n') + 1);
  return text;
}

}  // namespace pushrod
