// logs: what the instances of an app wrote, merged by time; or the log of one deployment.
// A follower watches the directories (inotify), so that it sleeps until something was written.
#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "logs/filter.hh"
#include "logs/reader.hh"
#include "logs/watch.hh"
#include "os/files.hh"
#include "os/stop_signal.hh"
#include "router/access_log.hh"
#include "router/router.hh"
#include "supervise/supervise.hh"

namespace pushrod {

namespace {

struct LogsRequest {
  std::string app;
  bool follow = false;
  std::optional<unsigned> lines;            // the newest so many; absent: 100, or with `since` all
  std::string process;                      // "web", "web.2"; empty: all
  std::string since, grep;                  // as log_filter.hh reads them; empty: everything
  std::optional<ReleaseNumber> deployment;  // instead of the instances' output
  bool json = false;
};

constexpr unsigned kUsualLines = 100;

struct Entry {
  std::string stamp;   // sorts by time
  std::string source;  // "web.1"
  std::string text;
  std::optional<AccessLine> access;  // of the router's
  bool continued = false;            // the logger has split it: the next record of the process goes on
};

constexpr const char* kRouter = "router";

struct Source {
  std::string label;  // "web.1", or "router"
  fs::path directory;
  std::string back_end;  // of the router's lines those for this one
  std::size_t longest_record = 0;
};

// "@4000000067… text"; absent for anything else.
std::optional<Entry> parse_line(std::string_view line, const Source& source) {
  if (line.size() < kStampLength + 1 || line.front() != '@' || line[kStampLength] != ' ') return std::nullopt;
  Entry entry{std::string(line.substr(0, kStampLength)), source.label, std::string(line.substr(kStampLength + 1)), {}};
  entry.continued = entry.text.size() >= source.longest_record;
  if (source.back_end.empty()) return entry;
  entry.access = parse_access_line(entry.text);
  if (!entry.access || entry.access->back_end != source.back_end) return std::nullopt;
  entry.text = entry.access->text();
  return entry;
}

bool matches(const InstanceName& instance, const std::string& filter) {
  return filter.empty() || filter == instance.type.str() ||
         filter == fmt::format("{}.{}", instance.type.str(), instance.number);
}

std::vector<Source> sources_of(Context& context, const App& app, const std::string& filter) {
  const auto longest = longest_log_record(context.settings().log_bytes);
  if (filter == kRouter) return {{kRouter, context.layout().access_log(), backend_name(app.name), longest}};
  std::vector<Source> sources;
  const auto directory = context.layout().instance_logs(app.name);
  for (const auto& entry : list_directory(directory)) {
    const auto name = InstanceName::from(app.name.str() + "." + entry);
    if (name && matches(*name, filter)) {
      sources.push_back({fmt::format("{}.{}", name->type.str(), name->number), directory / entry, {}, longest});
    }
  }
  return sources;
}

// A name that nothing was written under, and that no process type of the live release has, is a slip.
void check_process(Context& context, const App& app, const std::string& filter) {
  if (filter.empty() || !sources_of(context, app, filter).empty()) return;
  std::set<std::string> known{kRouter};
  for (const auto& source : sources_of(context, app, {})) known.insert(source.label.substr(0, source.label.find('.')));
  if (app.live) {
    const auto live = context.store().release(app.id, *app.live).value();
    for (const auto& process : live.processes) {
      if (filter == process.type.str() || filter.starts_with(process.type.str() + ".")) return;
      known.insert(process.type.str());
    }
  }
  throw UserError(fmt::format("{} has no logs of a process {}", app.name.str(), quoted(filter)),
                  "it has: " + join({known.begin(), known.end()}, ", "));
}

void take_entries(std::string_view text, const Source& source, const LogFilter& filter, std::vector<Entry>& entries) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    auto entry = parse_line(line, source);
    if (entry && filter.wants(time_of_stamp(entry->stamp), entry->text)) entries.push_back(std::move(*entry));
  }
}

void note(const std::string& text) { fmt::print(stderr, "Note: {}.\n", text); }

class Printer {
 public:
  explicit Printer(bool json) : json_(json), colours_(!json && is_terminal(STDOUT_FILENO)) {}

  void operator()(const Entry& entry) const {
    const auto time = time_of_stamp(entry.stamp);
    if (json_) {
      Json value = {{"time", iso_time(time)}, {"process", entry.source}, {"text", entry.text}};
      if (entry.continued) value["continued"] = true;
      if (const auto& access = entry.access) {
        value.update({{"method", access->method},
                      {"path", access->path},
                      {"status", access->status},
                      {"bytes", access->bytes},
                      {"duration_ms", access->duration.count()},
                      {"client", access->client}});
      }
      print(value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    } else if (colours_) {
      constexpr int kColours[] = {36, 33, 32, 35, 34, 96, 93, 92};
      const auto colour = kColours[std::hash<std::string>{}(entry.source) % std::size(kColours)];
      print(fmt::format("\x1b[{}m{} {} |\x1b[0m {}\n", colour, format_time(time), entry.source,
                        terminal_safe(entry.text)));
    } else {
      print(fmt::format("{} {} | {}\n", format_time(time), entry.source, plain_text(entry.text)));
    }
  }

 private:
  bool json_;
  bool colours_;
};

using Readers = std::map<fs::path, LogReader>;

// All that was written since the last look at each of them.
std::vector<std::pair<Source, LogText>> read_on(Context& context, const App& app, const LogsRequest& request,
                                                const LogFilter& filter, Readers& readers) {
  std::vector<std::pair<Source, LogText>> texts;
  for (const auto& source : sources_of(context, app, request.process)) {
    auto& reader = readers.try_emplace(source.directory, source.directory).first->second;
    texts.emplace_back(source, reader.read_on(filter));
  }
  std::erase_if(readers, [](const auto& reader) { return !is_directory(reader.first); });
  return texts;
}

// A follower keeps a file of each instance open, and an app may have many, of many releases.
void allow_many_files() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int follow(Context& context, const App& app, const LogsRequest& request, const LogFilter& filter, Readers readers,
           const Printer& show) {
  allow_many_files();
  LogWatch watch;
  const auto directory = context.layout().instance_logs(app.name);
  make_directory(directory);
  do {
    // Watching what is watched already changes nothing; new instances are found because their directory appears.
    watch.add(directory, IN_CREATE | IN_DELETE_SELF);
    for (const auto& source : sources_of(context, app, request.process)) {
      watch.add(source.directory, IN_MODIFY | IN_MOVED_TO | IN_CREATE);
    }
    const auto texts = read_on(context, app, request, filter, readers);
    // What was read under its name may be another app's, made after this one was destroyed: only an app that is still
    // there has written it.
    if (!context.store().app(app.id)) {
      note(fmt::format("app {} has been destroyed", app.name.str()));
      return kExitOk;
    }
    for (const auto& [source, text] : texts) {
      if (text.is_partial) note(fmt::format("lines of {} are left out here: there were too many", source.label));
      std::vector<Entry> entries;
      take_entries(text.lines, source, filter, entries);
      for (const auto& entry : entries) show(entry);
    }
    check_output();
    // When it is destroyed, its directories go before its row does.
  } while (watch.wait(is_directory(directory) ? Milliseconds{60'000} : Milliseconds{500}));
  return kExitOk;
}

int instance_logs(Context& context, const App& app, const LogsRequest& request) {
  const LogFilter filter(request.since, request.grep);
  check_process(context, app, request.process);
  std::vector<Entry> entries;
  Readers readers;
  std::string left_out;  // what was written before, of some instance, has not been read
  for (const auto& [source, text] : read_on(context, app, request, filter, readers)) {
    if (text.is_partial) left_out = std::max(left_out, text.lines.substr(0, kStampLength));
    take_entries(text.lines, source, filter, entries);
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.stamp < b.stamp; });
  const Printer show(request.json);
  const auto most = request.lines ? *request.lines : request.since.empty() ? kUsualLines : entries.size();
  const auto skipped = entries.size() > most ? entries.size() - most : 0;
  const bool is_complete = left_out.size() < kStampLength || !filter.is_since(time_of_stamp(left_out)) ||
                           (skipped > 0 && entries[skipped - 1].stamp >= left_out);
  if (!is_complete)
    note(fmt::format("older lines are left out: of each log the last {} are read", format_bytes(kMostLogRead)));
  for (auto i = skipped; i < entries.size(); ++i) show(entries[i]);
  return request.follow ? follow(context, app, request, filter, std::move(readers), show) : kExitOk;
}

std::string line_shown(const std::string& line, bool json) {
  if (json) return Json{{"text", line}}.dump(-1, ' ', false, Json::error_handler_t::replace);
  return is_terminal(STDOUT_FILENO) ? terminal_safe(line) : plain_text(line);
}

int deployment_log(Context& context, const App& app, const LogsRequest& request) {
  if (!request.since.empty()) {
    throw UsageError("--since and --deployment do not go together", "the lines of a deployment's log have no times");
  }
  if (!request.process.empty()) {
    throw UsageError("--process and --deployment do not go together", "a deployment's log is of no process");
  }
  const LogFilter filter({}, request.grep);
  const auto number = *request.deployment;
  const auto file = context.layout().deployment_log(app.name, number);
  LogWatch watch;
  std::vector<LogPart> log(1);
  std::size_t most = request.lines.value_or(std::numeric_limits<unsigned>::max());  // of what is there already
  do {
    // Before the log is read: once the state is final, that has seen its last words.
    const auto found = context.store().deployment(app.id, number);
    if (!found)
      throw UserError(fmt::format("app {} has no deployment {}", app.name.str(), number),
                      fmt::format("`deployments {}` lists them", app.name.str()));
    const bool is_last_look = !request.follow || is_final(found->state);
    watch.add(file, IN_MODIFY);
    if (!log.front().file) log.front().file = open_log(file);
    log.front().grows = !is_last_look;
    const auto text = log.front().file ? read_parts(log) : LogText{};
    if (text.is_partial)
      note(fmt::format("older lines are left out: the last {} are read", format_bytes(kMostLogRead)));
    auto lines = lines_of(text.lines);
    std::erase_if(lines, [&](const std::string& line) { return !filter.matches(line); });
    const auto skipped = lines.size() > most ? lines.size() - most : 0;
    for (auto i = skipped; i < lines.size(); ++i) print(line_shown(lines[i], request.json) + "\n");
    most = lines.empty() ? most : lines.max_size();
    check_output();
    if (is_last_look) return kExitOk;
  } while (watch.wait(Milliseconds{500}));
  return kExitOk;
}

int logs(Context& context, const LogsRequest& request) {
  const auto app = context.require_app(request.app, Right::See);
  stop_signal_fd();
  return request.deployment ? deployment_log(context, app, request) : instance_logs(context, app, request);
}

}  // namespace

void add_logs_verb(Grammar& grammar) {
  const auto words = std::make_shared<LogsRequest>();
  grammar.verb("logs", "what an app writes", [words](Context& context) { return logs(context, *words); })
      .app(words->app)
      .flag("-f,--follow", words->follow, "go on as more is written")
      .option("-n,--lines", words->lines, "how many lines to begin with (default: 100; with --since all)")
      .option("--process", words->process, "only this process type, or TYPE.N; router: the requests")
      .option("--since", words->since, "only lines since then: 10m, 2h (ago), or \"2026-11-22 15:04\" (UTC)")
      .option("--grep", words->grep, "only lines in which this regular expression is found")
      .option("--deployment", words->deployment, "the log of this deployment instead")
      .json(words->json);
}

}  // namespace pushrod
