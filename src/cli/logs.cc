// logs: what the instances of an app wrote, merged by time; or the log of one deployment.
// Floor 7. s6-log writes lines as "@<TAI64N> text" into `current`, which it renames to "@….s" when it is full; a
// follower watches the directories (inotify), so that it sleeps until something was written.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/log_filter.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "os/files.hh"
#include "os/stop_signal.hh"
#include "router/access_log.hh"
#include "router/router.hh"

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

constexpr std::size_t kLongestLog = 64u << 20;
constexpr unsigned kUsualLines = 100;
constexpr std::size_t kStampLength = 25;  // '@' and 24 hexadecimal digits (https://cr.yp.to/libtai/tai64.html)

struct Entry {
  std::string stamp;   // sorts by time
  std::string source;  // "web.1"
  std::string text;
  std::optional<AccessLine> access;  // of the router's
};

constexpr const char* kRouter = "router";

struct Source {
  std::string label;  // "web.1", or "router"
  fs::path directory;
  std::string back_end;  // of the router's lines those for this one
};

// "@4000000067… text"; absent for anything else.
std::optional<Entry> parse_line(std::string_view line, const Source& source) {
  if (line.size() < kStampLength + 1 || line.front() != '@' || line[kStampLength] != ' ') return std::nullopt;
  Entry entry{std::string(line.substr(0, kStampLength)), source.label, std::string(line.substr(kStampLength + 1)), {}};
  if (source.back_end.empty()) return entry;
  entry.access = parse_access_line(entry.text);
  if (!entry.access || entry.access->back_end != source.back_end) return std::nullopt;
  entry.text = entry.access->text();
  return entry;
}

WallTime time_of(const std::string& stamp) {
  std::uint64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  std::from_chars(stamp.data() + 1, stamp.data() + 17, seconds, 16);
  std::from_chars(stamp.data() + 17, stamp.data() + 25, nanoseconds, 16);
  return from_tai64n(seconds, nanoseconds);
}

bool matches(const InstanceName& instance, const std::string& filter) {
  return filter.empty() || filter == instance.type.str() ||
         filter == fmt::format("{}.{}", instance.type.str(), instance.number);
}

std::vector<Source> sources_of(const Context& context, const App& app, const std::string& filter) {
  if (filter == kRouter) return {{kRouter, context.layout().access_log(), backend_name(app.name)}};
  std::vector<Source> sources;
  const auto directory = context.layout().instance_logs(app.name);
  for (const auto& entry : list_directory(directory)) {
    const auto name = InstanceName::from(app.name.str() + "." + entry);
    if (name && matches(*name, filter)) {
      sources.push_back({fmt::format("{}.{}", name->type.str(), name->number), directory / entry, {}});
    }
  }
  return sources;
}

void take_entries(std::string_view text, const Source& source, const LogFilter& filter, std::vector<Entry>& entries) {
  for (const auto& line : lines_of(text)) {
    auto entry = parse_line(line, source);
    if (entry && filter.wants(time_of(entry->stamp), entry->text)) entries.push_back(std::move(*entry));
  }
}

// A rotated file, "@….s". It has the time of its last line in its name.
void read_rotated(const Source& source, const std::string& name, const LogFilter& filter, std::vector<Entry>& entries) {
  if (name.size() < kStampLength || !filter.is_since(time_of(name))) return;
  // s6-log may have removed it meanwhile.
  if (const auto text = read_file(source.directory / name, kLongestLog)) {
    take_entries(*text, source, filter, entries);
  }
}

class Printer {
 public:
  explicit Printer(bool json) : json_(json), colours_(!json && is_terminal(STDOUT_FILENO)) {}

  void operator()(const Entry& entry) const {
    const auto time = time_of(entry.stamp);
    if (json_) {
      Json value = {{"time", iso_time(time)}, {"process", entry.source}, {"text", entry.text}};
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

// Where a follower has read up to: the inode of `current`, and the offset in it.
struct Position {
  ino_t inode = 0;
  off_t offset = 0;
};

// Prints whole lines that were written to the file since the last look at it.
void follow_file(const fs::path& file, const Source& source, const LogFilter& filter, Position& position,
                 const Printer& show) {
  const UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return;
  struct stat status = {};
  if (fstat(fd.get(), &status) != 0) return;
  if (status.st_ino != position.inode || status.st_size < position.offset) position = {status.st_ino, 0};
  std::string text(static_cast<std::size_t>(status.st_size - position.offset), '\0');
  const auto got = pread(fd.get(), text.data(), text.size(), position.offset);
  if (got <= 0) return;
  text.resize(static_cast<std::size_t>(got));
  const auto end = text.rfind('\n');
  if (end == std::string::npos) return;
  std::vector<Entry> entries;
  take_entries(std::string_view(text).substr(0, end + 1), source, filter, entries);
  for (const auto& entry : entries) show(entry);
  position.offset += static_cast<off_t>(end + 1);
}

// Waits for a change in the watched directories; false when somebody wants us to stop.
bool wait_for_change(int watch, Milliseconds at_most) {
  pollfd events[] = {{watch, POLLIN, 0}, {stop_signal_fd(), POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
  poll(events, 3, static_cast<int>(at_most.count()));
  if (events[1].revents != 0 || (events[2].revents & (POLLERR | POLLHUP)) != 0) return false;
  char buffer[4096];
  while (read(watch, buffer, sizeof buffer) > 0) {
  }
  return true;
}

UniqueFd make_watch() {
  UniqueFd watch(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watch) throw_errno("watching the logs");
  return watch;
}

int follow(const Context& context, const App& app, const LogsRequest& request, const LogFilter& filter,
           std::map<fs::path, Position> positions, const Printer& show) {
  const auto watch = make_watch();
  make_directory(context.layout().instance_logs(app.name));
  do {
    // Watching what is watched already changes nothing; new instances are found because their directory appears.
    inotify_add_watch(watch.get(), context.layout().instance_logs(app.name).c_str(), IN_CREATE);
    for (const auto& source : sources_of(context, app, request.process)) {
      inotify_add_watch(watch.get(), source.directory.c_str(), IN_MODIFY | IN_MOVED_TO | IN_CREATE);
      const auto current = source.directory / "current";
      auto& position = positions[current];
      // s6-log may have renamed the file before we read its end.
      for (const auto& name : list_directory(source.directory)) {
        struct stat status = {};
        const auto archived = source.directory / name;
        if (name.front() == '@' && position.inode != 0 && stat(archived.c_str(), &status) == 0 &&
            status.st_ino == position.inode) {
          follow_file(archived, source, filter, position, show);
        }
      }
      follow_file(current, source, filter, position, show);
    }
  } while (wait_for_change(watch.get(), Milliseconds{60'000}));
  return kExitOk;
}

int instance_logs(Context& context, const App& app, const LogsRequest& request) {
  const LogFilter filter(request.since, request.grep);
  std::vector<Entry> entries;
  std::map<fs::path, Position> positions;
  for (const auto& source : sources_of(context, app, request.process)) {
    for (const auto& name : list_directory(source.directory)) {
      if (name.front() == '@') read_rotated(source, name, filter, entries);
    }
    const auto current = source.directory / "current";
    struct stat status = {};
    const auto text = stat(current.c_str(), &status) == 0 ? read_file(current, kLongestLog) : std::nullopt;
    if (!text) continue;
    const auto end = text->rfind('\n');
    const auto whole = end == std::string::npos ? 0 : end + 1;
    positions[current] = {status.st_ino, static_cast<off_t>(whole)};
    take_entries(std::string_view(*text).substr(0, whole), source, filter, entries);
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.stamp < b.stamp; });
  const Printer show(request.json);
  const auto most = request.lines ? *request.lines : request.since.empty() ? kUsualLines : entries.size();
  const auto skipped = entries.size() > most ? entries.size() - most : 0;
  for (auto i = skipped; i < entries.size(); ++i) show(entries[i]);
  return request.follow ? follow(context, app, request, filter, std::move(positions), show) : kExitOk;
}

std::string line_shown(const std::string& line, bool json) {
  if (json) return Json{{"text", line}}.dump(-1, ' ', false, Json::error_handler_t::replace);
  return is_terminal(STDOUT_FILENO) ? terminal_safe(line) : plain_text(line);
}

int deployment_log(Context& context, const App& app, const LogsRequest& request) {
  if (!request.since.empty()) {
    throw UsageError("--since and --deployment do not go together", "the lines of a deployment's log have no times");
  }
  const LogFilter filter({}, request.grep);
  const auto number = *request.deployment;
  const auto found = context.store().deployment(app.id, number);
  if (!found) throw UserError(fmt::format("app {} has no deployment {}", app.name.str(), number));
  const auto file = context.layout().deployment_log(app.name, number);
  const auto watch = make_watch();
  inotify_add_watch(watch.get(), file.c_str(), IN_MODIFY);
  std::size_t shown = 0;
  while (true) {
    const bool ended = is_final(context.store().deployment(app.id, number)->state);
    const auto text = read_file(file, kLongestLog).value_or("");
    std::string_view fresh(text);
    fresh.remove_prefix(std::min(shown, text.size()));
    shown = text.size();
    for (const auto& line : lines_of(fresh)) {
      if (filter.matches(line)) print(line_shown(line, request.json) + "\n");
    }
    // The last words may come a moment before the state; once the state is final, one more look has seen them all.
    if (!request.follow || ended) return kExitOk;
    if (!wait_for_change(watch.get(), Milliseconds{500})) return kExitOk;
  }
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
