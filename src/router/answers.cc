// Finds the tables in an answer by their headings and reads columns by their names.
#include "router/answers.hh"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "base/error.hh"
#include "base/text.hh"
#include "router/slots.hh"

namespace pushrod {

namespace {

[[noreturn]] void refuse(std::string_view what, std::string_view text) {
  throw Error(fmt::format("unexpected answer of HAProxy, {}: {}", what, quoted(text)));
}

struct Table {
  std::string_view heading;
  std::vector<std::string_view> rows;
};

// The lines after the one that begins with `heading`, until an empty one, which HAProxy writes at the end of each.
Table table_under(std::string_view answer, std::string_view heading) {
  std::optional<Table> table;
  while (!answer.empty()) {
    const auto end = answer.find('\n');
    if (end == std::string_view::npos) break;  // cut in the middle of a line
    const auto line = answer.substr(0, end);
    answer.remove_prefix(end + 1);
    if (!table) {
      if (line.starts_with(heading)) table = Table{line, {}};
    } else if (line.empty()) {
      return *table;
    } else {
      table->rows.push_back(line);
    }
  }
  refuse(table ? "no end" : fmt::format("no table {}", quoted(heading)), answer);
}

// The last value of each "name: value" line.
std::string value_of(std::string_view answer, std::string_view name) {
  for (const auto& line : lines_of(answer)) {
    if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ':') {
      return std::string(trim(std::string_view(line).substr(name.size() + 1)));
    }
  }
  refuse(fmt::format("no {}", name), answer);
}

std::vector<std::string> words(std::string_view line) {
  auto parts = split(line, ' ');
  std::erase(parts, "");
  return parts;
}

std::size_t column(const std::vector<std::string>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) refuse(fmt::format("no column {}", name), join(names, " "));
  return static_cast<std::size_t>(found - names.begin());
}

template <typename Number>
Number number(std::string_view text, std::string_view line) {
  const auto value = parse_unsigned(text);
  if (!value || *value > static_cast<std::uint64_t>(std::numeric_limits<Number>::max())) {
    refuse(fmt::format("{} where a number belongs", quoted(text)), line);
  }
  return static_cast<Number>(*value);
}

// The forms of keys and values tell the maps apart.
MapEntries& map_of(Maps& maps, const std::string& key, const std::string& value) {
  if (key.ends_with('/')) return maps.hosts;
  if (key.find('/') != key.npos) return maps.errors;
  if (value.find('|') != value.npos) return maps.http;
  return is_slot(value) ? maps.slots : maps.modes;
}

}  // namespace

Processes parse_processes(std::string_view answer) {
  Processes processes;
  std::vector<pid_t>* section = nullptr;
  for (const auto& line : table_under(answer, "#<PID>").rows) {
    const auto parts = words(line);
    if (line == "# workers") {
      section = &processes.workers;
    } else if (line == "# old workers") {
      section = &processes.old_workers;
    } else if (line.starts_with('#')) {
      section = nullptr;
    } else if (parts.size() >= 5 && parts[1] == "master" && parts[3] == "[failed:" && parts[4].ends_with(']')) {
      processes.failed_reloads = number<unsigned>(parts[4].substr(0, parts[4].size() - 1), line);
    } else if (parts.size() >= 2 && parts[1] == "worker" && section != nullptr) {
      section->push_back(number<pid_t>(parts[0], line));
    } else {
      refuse("a strange process", line);
    }
  }
  return processes;
}

std::vector<ServerState> parse_servers(std::string_view answer) {
  const auto table = table_under(answer, "# be_id ");
  const auto names = words(table.heading.substr(2));
  const auto backend = column(names, "be_name"), name = column(names, "srv_name"), address = column(names, "srv_addr"),
             port = column(names, "srv_port"), operational = column(names, "srv_op_state"),
             admin = column(names, "srv_admin_state");
  std::vector<ServerState> servers;
  for (const auto& line : table.rows) {
    const auto parts = words(line);
    if (parts.size() != names.size()) refuse("a strange server", line);
    if (parts[name] == kSecondTry) continue;
    servers.push_back({parts[backend], parts[name], parts[address], number<Port>(parts[port], line),
                       number<unsigned>(parts[operational], line), number<unsigned>(parts[admin], line)});
  }
  return servers;
}

Maps parse_maps(std::string_view answer) {
  Maps maps;
  for (const auto& line : lines_of(answer)) {
    // "0x560990445e20 app.blog hold"; nothing else begins so.
    if (!line.starts_with("0x")) continue;
    const auto parts = words(line);
    if (parts.size() != 3) refuse("a strange line of a map", line);
    map_of(maps, parts[1], parts[2])[parts[1]] = parts[2];
  }
  return maps;
}

std::map<std::string, Activity> parse_activity(std::string_view answer) {
  const auto table = table_under(answer, "# pxname,");
  const auto names = split(table.heading.substr(2), ',');
  const auto backend = column(names, "pxname"), queue = column(names, "qcur"), sessions = column(names, "scur"),
             last = column(names, "lastsess");
  std::map<std::string, Activity> activity;
  for (const auto& line : table.rows) {
    const auto parts = split(line, ',');
    if (parts.size() != names.size()) refuse("a strange line of figures", line);
    Activity found;
    found.open = number<unsigned>(parts[queue], line) + number<unsigned>(parts[sessions], line);
    if (parts[last] != "-1" && !parts[last].empty()) found.idle_for = number<unsigned>(parts[last], line);
    activity[parts[backend]] = found;
  }
  return activity;
}

WorkerInfo parse_info(std::string_view answer) {
  return {value_of(answer, "description"), value_of(answer, "Stopping") != "0"};
}

std::map<std::string, RequestFigures> parse_requests(std::string_view answer) {
  const auto table = table_under(answer, "# pxname,");
  const auto names = split(table.heading.substr(2), ',');
  const auto backend = column(names, "pxname"), name = column(names, "svname"), queue = column(names, "qcur"),
             sessions = column(names, "scur"), all_sessions = column(names, "stot");
  std::map<std::string, RequestFigures> requests;
  for (const auto& line : table.rows) {
    const auto parts = split(line, ',');
    if (parts.size() != names.size()) refuse("a strange line of figures", line);
    if (parts[name] == kSecondTry) continue;
    requests[parts[backend] + "/" + parts[name]] = {
        number<unsigned>(parts[queue], line) + number<unsigned>(parts[sessions], line),
        number<std::uint64_t>(parts[all_sessions], line)};
  }
  return requests;
}

std::vector<std::string> complaints(std::string_view answer) {
  std::vector<std::string> found;
  for (const auto& line : lines_of(answer)) {
    if (line.starts_with("# be_id ")) break;
    if (line.empty() || line == "1" || line == "New server registered." || line == "Server deleted." ||
        line.starts_with("0x")) {
      continue;
    }
    found.push_back(escaped(line));
  }
  return found;
}

}  // namespace pushrod
