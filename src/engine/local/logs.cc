#include "engine/local/logs.hh"

#include <sys/inotify.h>

#include <algorithm>
#include <utility>

#include "os/files.hh"

namespace pushrod {

namespace {

// "@4000000067… text"
bool has_stamp(std::string_view line) {
  return line.size() >= kStampLength + 1 && line.front() == '@' && line[kStampLength] == ' ';
}

}  // namespace

std::vector<std::string> LocalLogs::sources() const {
  std::vector<std::string> names;
  for (auto& source : places_.sources()) names.push_back(std::move(source.name));
  return names;
}

std::vector<LogChunk> LocalLogs::read_on(std::optional<WallTime> since, const Wants& wants) {
  std::vector<LogChunk> chunks;
  for (const auto& source : places_.sources()) {
    auto& reader = readers_.try_emplace(source.directory, source.directory).first->second;
    const auto text = reader.read_on(since);
    auto& chunk = chunks.emplace_back();
    chunk.source = source.name;
    chunk.is_partial = text.is_partial;
    if (text.is_partial && has_stamp(text.lines)) chunk.read_from = time_of_stamp(text.lines);
    take(text.lines, wants, chunk);
  }
  std::erase_if(readers_, [](const auto& reader) { return !is_directory(reader.first); });
  return chunks;
}

void LocalLogs::take(std::string_view lines, const Wants& wants, LogChunk& chunk) const {
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    if (!has_stamp(line)) continue;
    LogEntry entry{time_of_stamp(line), chunk.source, std::string(line.substr(kStampLength + 1))};
    entry.continued = entry.text.size() >= places_.longest_record;
    if (places_.complete(entry) && wants(entry.time, entry.text)) chunk.entries.push_back(std::move(entry));
  }
}

void LocalLogs::watch(LogWatch& watch) {
  if (!std::exchange(is_watched_, true)) make_directory(places_.app);
  // To watch a directory a second time changes nothing; new instances are found because their directory appears.
  watch.add(places_.app, IN_CREATE | IN_DELETE_SELF);
  for (const auto& source : places_.sources()) {
    watch.add(source.directory, IN_MODIFY | IN_MOVED_TO | IN_CREATE);
  }
}

bool LocalLogs::exists() const { return is_directory(places_.app); }

}  // namespace pushrod
