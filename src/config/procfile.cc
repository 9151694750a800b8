// Procfile → ProcessTable: "name: command", one a line.
// Called by app_manifest.cc, which puts it together with pushrod.toml.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.hh"
#include "base/text.hh"
#include "config/app_manifest.hh"
#include "config/manifest_rules.hh"
#include "config/text_file.hh"

namespace pushrod {

namespace {

Process parse_line(std::string_view line, const std::string& place) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    throw UserError(fmt::format("{}: expected \"name: command\", not {}", place, quoted(line)),
                    "for example: web: python3 app.py");
  }
  ProcessType type = parse_process_type(line.substr(0, colon), place);
  const std::string_view command = trim(line.substr(colon + 1));
  check_command(command, fmt::format("the command of {}", quoted(type.str())), place);
  return Process{.type = std::move(type), .command = std::string(command), .health = {}};
}

}  // namespace

ProcessTable parse_procfile(const std::string& bytes, const std::string& file_name) {
  ProcessTable processes;
  std::map<ProcessType, std::size_t> line_of;
  std::size_t number = 0;
  for (const std::string& line : lines_of(decode_text(bytes, file_name))) {
    ++number;
    if (trim(line).empty() || trim(line).starts_with('#')) continue;
    const std::string place = fmt::format("{}:{}", file_name, number);
    Process process = parse_line(line, place);
    const auto [first, is_new] = line_of.emplace(process.type, number);
    if (!is_new) {
      throw UserError(fmt::format("{}: process type {} is already defined on line {}", place,
                                  quoted(process.type.str()), first->second));
    }
    processes.push_back(std::move(process));
    check_number_of_types(processes.size(), place);
  }
  std::sort(processes.begin(), processes.end(), [](const Process& a, const Process& b) { return a.type < b.type; });
  return processes;
}

}  // namespace pushrod
