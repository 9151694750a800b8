// The rules that hold for both files in which an app tells its processes.
// Used by procfile.cc and app_manifest.cc.
#include "config/manifest_rules.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "model/job.hh"

namespace pushrod {

namespace {
constexpr std::size_t kLongestCommand = 32'768;
constexpr std::size_t kMostTypes = 50;
}  // namespace

ProcessType parse_process_type(std::string_view name, const std::string& place) {
  if (name == kRunName) {
    throw UserError(fmt::format("{}: \"run\" is reserved for one-off commands", place), "choose another name");
  }
  try {
    return ProcessType::parse(name);
  } catch (const UserError& error) {
    throw UserError(fmt::format("{}: {}", place, error.message()), error.hint());
  }
}

void check_command(std::string_view command, std::string_view called, const std::string& place) {
  const auto is_refused = [](unsigned char c) { return (c < 0x20 && c != '\t' && c != '\n') || c == 0x7f; };
  if (trim(command).empty()) throw UserError(fmt::format("{}: {} is empty", place, called));
  if (command.size() > kLongestCommand) {
    throw UserError(fmt::format("{}: {} is {} long, and the limit is {}", place, called, format_bytes(command.size()),
                                format_bytes(kLongestCommand)),
                    "put it in a script in the repo, and call the script");
  }
  if (std::any_of(command.begin(), command.end(), is_refused)) {
    throw UserError(fmt::format("{}: {} contains a control character: {}", place, called, quoted(command)));
  }
}

void check_number_of_types(std::size_t number, const std::string& place) {
  if (number <= kMostTypes) return;
  throw UserError(fmt::format("{}: more than {} process types", place, kMostTypes));
}

}  // namespace pushrod
