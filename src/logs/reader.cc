// Reading logs from where one stopped.
#include "logs/reader.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/error.hh"

namespace pushrod {

namespace {

struct stat status_of(const UniqueFd& file) {
  struct stat status = {};
  if (fstat(file.get(), &status) != 0) throw_errno("looking at a log");
  return status;
}

bool is_same(const UniqueFd& a, const UniqueFd& b) {
  if (!a || !b) return false;
  const auto first = status_of(a), second = status_of(b);
  return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

bool is_rotated(const std::string& name) { return name.front() == '@' || name == "previous"; }

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

WallTime time_of_stamp(std::string_view text) {
  std::uint64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  std::from_chars(text.data() + 1, text.data() + 17, seconds, 16);
  std::from_chars(text.data() + 17, text.data() + 25, nanoseconds, 16);
  return from_tai64n(seconds, nanoseconds);
}

UniqueFd open_log(const fs::path& file) {
  UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd && errno != ENOENT) throw_errno("opening " + file.string());
  return fd;
}

LogText read_parts(std::vector<LogPart>& parts, std::size_t most) {
  std::vector<off_t> ends;
  off_t left_out = -static_cast<off_t>(most);
  for (auto& part : parts) {
    ends.push_back(status_of(part.file).st_size);
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

// Those after the last one that was read, oldest first.
std::vector<UniqueFd> LogReader::newer_files(const LogFilter& filter, bool& is_partial) const {
  // Opened before the names are read: when s6-log renames it in between, it is met again, and what is newer than it is
  // for the next time.
  auto current = open_log(directory_ / "current");
  if (is_same(current, last_.file)) return {};
  std::vector<UniqueFd> files;
  bool is_last_there = !last_.file;
  for (const auto& name : list_directory(directory_)) {
    if (!is_rotated(name)) continue;
    if (!last_.file && name.size() > kStampLength && !filter.is_since(time_of_stamp(name))) continue;
    auto file = open_log(directory_ / name);
    if (is_same(file, current)) break;
    if (is_same(file, last_.file)) {
      is_last_there = true;
      files.clear();
    } else if (file && (files.empty() || !is_same(file, files.back()))) {
      files.push_back(std::move(file));
    }
  }
  if (current) files.push_back(std::move(current));
  is_partial = !is_last_there;
  return files;
}

LogText LogReader::read_on(const LogFilter& filter) {
  bool is_partial = false;
  std::vector<LogPart> parts;
  auto newer = newer_files(filter, is_partial);
  if (last_.file) parts.push_back(std::move(last_));
  for (auto& file : newer) parts.push_back({std::move(file)});
  if (parts.empty()) return {};
  for (auto& part : parts) part.grows = &part == &parts.back();
  auto text = read_parts(parts, most_);
  text.is_partial = text.is_partial || is_partial;
  last_ = std::move(parts.back());
  return text;
}

}  // namespace pushrod
