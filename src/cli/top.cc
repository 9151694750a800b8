// top: what the instances use now. On a terminal it looks again every two seconds, until q is pressed.
// A figure per second is the difference between two looks; the first picture takes one second.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/processes.hh"
#include "operate/services.hh"
#include "os/disk_use.hh"
#include "os/pty.hh"
#include "os/signal_reader.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kFirstLook{1'000};
constexpr Milliseconds kNextLook{2'000};
constexpr char kControlC = 3;
// Of a large directory the beginning.
constexpr DiskUseLimits kQuickLook{1'000'000, Milliseconds{1'000}};

// What /data of the apps takes on the disk, the largest first; measured once.
std::string shown_data(Context& context, const std::string& only) {
  std::vector<std::pair<std::uint64_t, std::string>> uses;
  for (const auto& app : context.visible_apps()) {
    if (!only.empty() && app.name.str() != only) continue;
    uses.emplace_back(measure_disk_use(context.layout().data(app.name), kQuickLook).bytes, app.name.str());
  }
  std::ranges::sort(uses, std::greater{});
  std::vector<std::string> texts;
  for (const auto& [bytes, name] : uses) texts.push_back(fmt::format("{} {}", name, format_bytes(bytes)));
  return texts.empty() ? std::string{} : "/data: " + join(texts, ", ") + "\n";
}

// What their services use.
std::string shown_services(Context& context, const std::string& only) {
  std::vector<std::string> texts;
  for (const auto& view : services_of(context, only.empty() ? std::nullopt : std::optional(AppName::parse(only)))) {
    texts.push_back(fmt::format("{} {}", view.service.name.str(), format_bytes(view.memory)));
  }
  return texts.empty() ? std::string{} : "services: " + join(texts, ", ") + "\n";
}

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

void watch(Context& context, UsageMeter& meter, const std::string& only) {
  const auto data = shown_data(context, only);
  const RawMode raw(STDIN_FILENO);
  SignalReader signals({SIGINT, SIGTERM, SIGHUP});
  const OtherScreen screen;
  for (auto pause = kFirstLook; wait_for_next_look(signals, pause); pause = kNextLook) {
    std::string text = "\x1b[H\x1b[2J";
    for (const auto& line : lines_of(shown(meter.look()) + shown_services(context, only) + data + "\nq: end"))
      text += line + "\r\n";
    print(text);
  }
}

int show_usage(Context& context, const std::string& app, bool json) {
  UsageMeter meter(context, app.empty() ? std::nullopt : std::optional(AppName::parse(app)));
  if (!json && is_terminal(STDIN_FILENO) && is_terminal(STDOUT_FILENO)) {
    watch(context, meter, app);
    return kExitOk;
  }
  poll(nullptr, 0, static_cast<int>(kFirstLook.count()));
  const auto rows = meter.look();
  if (json) {
    auto list = Json::array();
    for (const auto& row : rows) list.push_back(to_json(row));
    print_json(list);
  } else {
    print(shown(rows) + shown_services(context, app) + shown_data(context, app));
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
