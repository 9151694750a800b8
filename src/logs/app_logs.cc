#include "logs/app_logs.hh"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "os/log_file.hh"
#include "os/log_watch.hh"

namespace pushrod {

namespace {

constexpr unsigned kUsualLines = 100;
constexpr const char* kRouter = "router";
constexpr Milliseconds kLook{60'000};     // at instances that appeared without an event
constexpr Milliseconds kLookForApp{500};  // when the app's logs are gone, its row goes soon

}  // namespace

Json to_json(const LogEntry& entry) {
  Json value = {{"time", iso_time(entry.time)}, {"process", entry.source}, {"text", entry.text}};
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
    : session_(session),
      app_(session.require_app(app, Right::See)),
      query_(query),
      filter_(query.since, query.grep),
      stream_(query.process == kRouter ? session.ingress().access_log(app_.name)
                                       : session.engine().logs(app_.name, query.process)) {
  check_process();
}

// A name without logs is a mistake, unless it is a process type of the live release.
void AppLogs::check_process() const {
  const auto& process = query_.process;
  if (process.empty() || !stream_->sources().empty()) return;
  std::set<std::string> known{kRouter};
  for (const auto& source : session_.engine().logs(app_.name, {})->sources()) {
    known.insert(source.substr(0, source.find('.')));
  }
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

std::vector<LogChunk> AppLogs::read_on() {
  return stream_->read_on(filter_.since(),
                          [this](WallTime time, const std::string& text) { return filter_.wants(time, text); });
}

void AppLogs::read(const LogReceiver& receiver) {
  std::vector<LogEntry> entries;
  std::optional<WallTime> left_out;  // the time up to which lines of some instance were not read
  for (auto& chunk : read_on()) {
    left_out = std::max(left_out, chunk.read_from);
    std::ranges::move(chunk.entries, std::back_inserter(entries));
  }
  std::ranges::stable_sort(entries, {}, &LogEntry::time);
  const auto most = query_.lines ? *query_.lines : query_.since.empty() ? kUsualLines : entries.size();
  const auto skipped = entries.size() > most ? entries.size() - most : 0;
  const bool is_complete =
      !left_out || !filter_.is_since(*left_out) || (skipped > 0 && entries[skipped - 1].time >= *left_out);
  if (!is_complete) {
    receiver.note(
        fmt::format("older lines are left out: of each log the last {} are read", format_bytes(kMostLogRead)));
  }
  for (auto i = skipped; i < entries.size(); ++i) receiver.entry(entries[i]);
}

void AppLogs::follow(const LogReceiver& receiver) {
  LogWatch watch;
  do {
    stream_->watch(watch);
    const auto chunks = read_on();
    // Text that was read under its name may be that of another app, made after this one was destroyed: only an app that
    // still exists has written it.
    if (!session_.store().app(app_.id)) return receiver.note(fmt::format("app {} has been destroyed", app_.name.str()));
    for (const auto& chunk : chunks) {
      if (chunk.is_partial) {
        receiver.note(fmt::format("lines of {} are left out here: there were too many", chunk.source));
      }
      for (const auto& entry : chunk.entries) receiver.entry(entry);
    }
    // When the app is destroyed, its logs go before its row does.
  } while (watch.wait(stream_->exists() ? kLook : kLookForApp));
}

}  // namespace pushrod
