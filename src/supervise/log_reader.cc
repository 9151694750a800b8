#include "supervise/log_reader.hh"

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

}  // namespace

WallTime time_of_stamp(std::string_view text) {
  std::uint64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  std::from_chars(text.data() + 1, text.data() + 17, seconds, 16);
  std::from_chars(text.data() + 17, text.data() + 25, nanoseconds, 16);
  return from_tai64n(seconds, nanoseconds);
}

// Those after the last one that was read, oldest first.
std::vector<UniqueFd> LogReader::newer_files(std::optional<WallTime> since, bool& is_partial) const {
  // Opened before the names are read: when s6-log renames it in between, it is met again, and what is newer than it is
  // for the next time.
  auto current = open_log(directory_ / "current");
  if (is_same(current, last_.file)) return {};
  std::vector<UniqueFd> files;
  bool is_last_there = !last_.file;
  for (const auto& name : list_directory(directory_)) {
    if (!is_rotated(name)) continue;
    if (!last_.file && name.size() > kStampLength && since && time_of_stamp(name) < *since) continue;
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

LogText LogReader::read_on(std::optional<WallTime> since) {
  bool is_partial = false;
  std::vector<LogPart> parts;
  auto newer = newer_files(since, is_partial);
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
