// top: what the instances use now. On a terminal it looks again every two seconds, until q is pressed.
// A figure per second is the difference between two looks; the first picture takes one second.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/processes.hh"
#include "os/pty.hh"
#include "os/signal_reader.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kFirstLook{1'000};
constexpr Milliseconds kNextLook{2'000};
constexpr char kControlC = 3;

std::string shown(const std::vector<Usage>& rows) {
  if (rows.empty()) return "Nothing is running.\n";
  Table table({"INSTANCE", "CPU", "MEMORY", "REQUESTS/S", "RESTARTS", "UP FOR"});
  for (const auto& row : rows) {
    table.add({row.status.name.str(), fmt::format("{:.1f} %", row.processors * 100), format_bytes(row.memory),
               row.status.name.type.str() == "web" ? fmt::format("{:.1f}", row.requests) : "-",
               std::to_string(row.status.restarts), format_duration(row.status.since)});
  }
  return table.str();
}

// False when the user ends it.
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

void watch(UsageMeter& meter) {
  const RawMode raw(STDIN_FILENO);
  SignalReader signals({SIGINT, SIGTERM, SIGHUP});
  const OtherScreen screen;
  for (auto pause = kFirstLook; wait_for_next_look(signals, pause); pause = kNextLook) {
    std::string text = "\x1b[H\x1b[2J";
    for (const auto& line : lines_of(shown(meter.look()) + "\nq: end")) text += line + "\r\n";
    print(text);
  }
}

int show_usage(Context& context, const std::string& app, bool json) {
  UsageMeter meter(context, app.empty() ? std::nullopt : std::optional(AppName::parse(app)));
  if (!json && is_terminal(STDIN_FILENO) && is_terminal(STDOUT_FILENO)) {
    watch(meter);
    return kExitOk;
  }
  poll(nullptr, 0, static_cast<int>(kFirstLook.count()));
  const auto rows = meter.look();
  if (json) {
    auto list = Json::array();
    for (const auto& row : rows) list.push_back(to_json(row));
    print_json(list);
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
