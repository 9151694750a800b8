#include "logs/app_logs.hh"

#include <fmt/format.h>
#include <sys/inotify.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "logs/watch.hh"
#include "os/files.hh"
#include "router/router.hh"
#include "supervise/supervise.hh"

namespace pushrod {

namespace {

constexpr unsigned kUsualLines = 100;
constexpr const char* kRouter = "router";
constexpr Milliseconds kLook{60'000};     // at instances that appeared without an event
constexpr Milliseconds kLookForApp{500};  // when the app's directories are gone, its row goes soon

bool matches(const InstanceName& instance, const std::string& filter) {
  return filter.empty() || filter == instance.type.str() ||
         filter == fmt::format("{}.{}", instance.type.str(), instance.number);
}

}  // namespace

Json to_json(const LogEntry& entry) {
  Json value = {{"time", iso_time(time_of_stamp(entry.stamp))}, {"process", entry.source}, {"text", entry.text}};
  if (entry.continued) value["continued"] = true;
  if (const auto& access = entry.access) {
    value.update({{"method", access->method},
                  {"path", access->path},
                  {"status", access->status},
                  {"bytes", access->bytes},
                  {"duration_ms", access->duration.count()},
                  {"client", access->client}});
  }
  return value;
}

AppLogs::AppLogs(Session& session, const AppName& app, const LogQuery& query)
    : session_(session), app_(session.require_app(app, Right::See)), query_(query), filter_(query.since, query.grep) {
  check_process();
}

// "@4000000067… text"; absent for anything else.
std::optional<LogEntry> AppLogs::parse(std::string_view line, const Source& source) {
  if (line.size() < kStampLength + 1 || line.front() != '@' || line[kStampLength] != ' ') return std::nullopt;
  LogEntry entry{
      std::string(line.substr(0, kStampLength)), source.label, std::string(line.substr(kStampLength + 1)), {}};
  entry.continued = entry.text.size() >= source.longest_record;
  if (source.back_end.empty()) return entry;
  entry.access = parse_access_line(entry.text);
  if (!entry.access || entry.access->back_end != source.back_end) return std::nullopt;
  entry.text = entry.access->text();
  return entry;
}

std::vector<AppLogs::Source> AppLogs::sources(const std::string& process) const {
  const auto longest = longest_log_record(session_.settings().log_bytes);
  if (process == kRouter) return {{kRouter, session_.layout().access_log(), backend_name(app_.name), longest}};
  std::vector<Source> found;
  const auto directory = session_.layout().instance_logs(app_.name);
  for (const auto& entry : list_directory(directory)) {
    const auto name = InstanceName::from(app_.name.str() + "." + entry);
    if (name && matches(*name, process)) {
      found.push_back({fmt::format("{}.{}", name->type.str(), name->number), directory / entry, {}, longest});
    }
  }
  return found;
}

// A name without logs is a mistake, unless it is a process type of the live release.
void AppLogs::check_process() const {
  const auto& process = query_.process;
  if (process.empty() || !sources(process).empty()) return;
  std::set<std::string> known{kRouter};
  for (const auto& source : sources({})) known.insert(source.label.substr(0, source.label.find('.')));
  if (app_.live) {
    const auto live = session_.store().release(app_.id, *app_.live).value();
    for (const auto& type : live.processes) {
      if (process == type.type.str() || process.starts_with(type.type.str() + ".")) return;
      known.insert(type.type.str());
    }
  }
  throw UserError(fmt::format("{} has no logs of a process {}", app_.name.str(), quoted(process)),
                  "it has: " + join({known.begin(), known.end()}, ", "));
}

void AppLogs::take(std::string_view text, const Source& source, std::vector<LogEntry>& entries) const {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    auto entry = parse(line, source);
    if (entry && filter_.wants(time_of_stamp(entry->stamp), entry->text)) entries.push_back(std::move(*entry));
  }
}

// All that was written since the last look at each source.
std::vector<std::pair<AppLogs::Source, LogText>> AppLogs::read_on() {
  std::vector<std::pair<Source, LogText>> texts;
  for (const auto& source : sources(query_.process)) {
    auto& reader = readers_.try_emplace(source.directory, source.directory).first->second;
    texts.emplace_back(source, reader.read_on(filter_));
  }
  std::erase_if(readers_, [](const auto& reader) { return !is_directory(reader.first); });
  return texts;
}

void AppLogs::read(const LogReceiver& receiver) {
  std::vector<LogEntry> entries;
  std::string left_out;  // the time up to which lines of some instance were not read
  for (const auto& [source, text] : read_on()) {
    if (text.is_partial) left_out = std::max(left_out, text.lines.substr(0, kStampLength));
    take(text.lines, source, entries);
  }
  std::ranges::stable_sort(entries, {}, &LogEntry::stamp);
  const auto most = query_.lines ? *query_.lines : query_.since.empty() ? kUsualLines : entries.size();
  const auto skipped = entries.size() > most ? entries.size() - most : 0;
  const bool is_complete = left_out.size() < kStampLength || !filter_.is_since(time_of_stamp(left_out)) ||
                           (skipped > 0 && entries[skipped - 1].stamp >= left_out);
  if (!is_complete) {
    receiver.note(
        fmt::format("older lines are left out: of each log the last {} are read", format_bytes(kMostLogRead)));
  }
  for (auto i = skipped; i < entries.size(); ++i) receiver.entry(entries[i]);
}

void AppLogs::follow(const LogReceiver& receiver) {
  LogWatch watch;
  const auto directory = session_.layout().instance_logs(app_.name);
  make_directory(directory);
  do {
    // To watch a directory a second time changes nothing; new instances are found because their directory appears.
    watch.add(directory, IN_CREATE | IN_DELETE_SELF);
    for (const auto& source : sources(query_.process)) {
      watch.add(source.directory, IN_MODIFY | IN_MOVED_TO | IN_CREATE);
    }
    const auto texts = read_on();
    // Text that was read under its name may be that of another app, made after this one was destroyed: only an app that
    // still exists has written it.
    if (!session_.store().app(app_.id)) return receiver.note(fmt::format("app {} has been destroyed", app_.name.str()));
    for (const auto& [source, text] : texts) {
      if (text.is_partial) {
        receiver.note(fmt::format("lines of {} are left out here: there were too many", source.label));
      }
      std::vector<LogEntry> entries;
      take(text.lines, source, entries);
      for (const auto& entry : entries) receiver.entry(entry);
    }
    // When the app is destroyed, its directories go before its row does.
  } while (watch.wait(is_directory(directory) ? kLook : kLookForApp));
}

}  // namespace pushrod
