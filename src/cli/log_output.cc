#include "cli/log_output.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/output.hh"

namespace pushrod {

namespace {

void show(const LogEntry& entry) {
  const auto time = format_time(entry.time);
  if (!is_terminal(STDOUT_FILENO)) {
    print(fmt::format("{} {} | {}\n", time, entry.source, plain_text(entry.text)));
    return;
  }
  constexpr int kColours[] = {36, 33, 32, 35, 34, 96, 93, 92};
  const auto colour = kColours[std::hash<std::string>{}(entry.source) % std::size(kColours)];
  print(fmt::format("\x1b[{}m{} {} |\x1b[0m {}\n", colour, time, entry.source, terminal_safe(entry.text)));
}

}  // namespace

std::string one_line(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

LogReceiver log_receiver(bool json) {
  return {.entry =
              [json](const LogEntry& entry) {
                if (json) {
                  print(one_line(to_json(entry)));
                } else {
                  show(entry);
                }
                check_output();
              },
          .note = [](const std::string& text) { fmt::print(stderr, "Note: {}.\n", text); }};
}

}  // namespace pushrod
