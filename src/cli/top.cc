// top: what the instances use now. On a terminal it looks again every two seconds, until somebody presses q.
// A figure per second is the difference between two looks; the first picture takes one second.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "os/pty.hh"
#include "os/signal_reader.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kFirstLook{1'000};
constexpr Milliseconds kNextLook{2'000};
constexpr char kControlC = 3;

struct Look {
  Stopwatch taken;
  std::map<InstanceName, InstanceUsage> usage;
};

Look look(Context& context) {
  Look look;
  for (auto& usage : context.engine().usage()) look.usage.emplace(usage.name, std::move(usage));
  return look;
}

struct Row {
  InstanceStatus status;
  double processors = 0;  // 0.5: half of one
  std::uint64_t memory = 0;
  double requests = 0;  // per second
};

// What began less than a look ago, or whose router was reloaded, has used nothing yet.
template <typename Number>
double rate(Number before, Number after, double divisor) {
  return after > before ? static_cast<double>(after - before) / divisor : 0;
}

std::vector<Row> rows_of(Context& context, const std::optional<AppName>& only, const Look& before, const Look& after) {
  const auto milliseconds = static_cast<double>((before.taken.elapsed() - after.taken.elapsed()).count());
  std::vector<Row> rows;
  for (auto& status : context.engine().inspect()) {
    const auto now = after.usage.find(status.name);
    if (now == after.usage.end() || (only && status.name.app != *only) || !context.may(status.name.app, Right::See)) {
      continue;
    }
    Row row{std::move(status), 0, now->second.memory, 0};
    if (const auto then = before.usage.find(row.status.name); then != before.usage.end() && milliseconds > 0) {
      row.processors = rate(then->second.processor.count(), now->second.processor.count(), milliseconds);
      row.requests = rate(then->second.requests, now->second.requests, milliseconds / 1000);
    }
    rows.push_back(std::move(row));
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.status.name < b.status.name; });
  return rows;
}

std::string shown(const std::vector<Row>& rows) {
  if (rows.empty()) return "Nothing runs.\n";
  Table table({"INSTANCE", "CPU", "MEMORY", "REQUESTS/S", "RESTARTS", "UP FOR"});
  for (const auto& row : rows) {
    table.add({row.status.name.str(), fmt::format("{:.1f} %", row.processors * 100), format_bytes(row.memory),
               row.status.name.type.str() == "web" ? fmt::format("{:.1f}", row.requests) : "-",
               std::to_string(row.status.restarts), format_duration(row.status.since)});
  }
  return table.str();
}

Json as_json(const std::vector<Row>& rows) {
  auto list = Json::array();
  for (const auto& row : rows) {
    list.push_back({{"instance", row.status.name.str()},
                    {"app", row.status.name.app.str()},
                    {"process", row.status.name.type.str()},
                    {"cpu_percent", std::round(row.processors * 1000) / 10},
                    {"memory_bytes", row.memory},
                    {"requests_per_second", std::round(row.requests * 10) / 10},
                    {"restarts", row.status.restarts},
                    {"up_for_ms", row.status.since.count()}});
  }
  return list;
}

// False when somebody wants no more of it.
bool wait_for_next_look(SignalReader& signals, Milliseconds pause) {
  const Deadline deadline(pause);
  while (!deadline.passed()) {
    pollfd events[] = {{STDIN_FILENO, POLLIN, 0}, {signals.fd(), POLLIN, 0}};
    if (poll(events, 2, static_cast<int>(deadline.left().count())) < 0 && errno != EINTR) return false;
    if (events[1].revents != 0) return false;
    if (events[0].revents == 0) continue;
    char key = 0;
    if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == kControlC) return false;
  }
  return true;
}

// The terminal's other screen: what was there before is there again afterwards.
class OtherScreen {
 public:
  OtherScreen() { print("\x1b[?1049h"); }
  ~OtherScreen() { print("\x1b[?1049l"); }
  OtherScreen(const OtherScreen&) = delete;
  OtherScreen& operator=(const OtherScreen&) = delete;
};

void watch(Context& context, const std::optional<AppName>& only) {
  const RawMode raw(STDIN_FILENO);
  SignalReader signals({SIGINT, SIGTERM, SIGHUP});
  const OtherScreen screen;
  auto before = look(context);
  for (auto pause = kFirstLook; wait_for_next_look(signals, pause); pause = kNextLook) {
    auto after = look(context);
    std::string text = "\x1b[H\x1b[2J";
    for (const auto& line : lines_of(shown(rows_of(context, only, before, after)) + "\nq: end")) text += line + "\r\n";
    print(text);
    before = std::move(after);
  }
}

int show_usage(Context& context, const std::string& app, bool json) {
  std::optional<AppName> only;
  if (!app.empty()) only = context.require_app(app, Right::See).name;
  if (!json && is_terminal(STDIN_FILENO) && is_terminal(STDOUT_FILENO)) {
    watch(context, only);
    return kExitOk;
  }
  const auto before = look(context);
  poll(nullptr, 0, static_cast<int>(kFirstLook.count()));
  const auto rows = rows_of(context, only, before, look(context));
  if (json) {
    print_json(as_json(rows));
  } else {
    print(shown(rows));
  }
  return kExitOk;
}

}  // namespace

void add_top_verb(Grammar& grammar) {
  struct Words {
    std::string app;
    bool json = false;
  };
  const auto words = std::make_shared<Words>();
  grammar
      .verb("top", "what the instances use: processor, memory, requests",
            [words](Context& context) { return show_usage(context, words->app, words->json); })
      .takes("APP", words->app, "only this app")
      .json(words->json);
}

}  // namespace pushrod
