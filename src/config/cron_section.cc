// [[cron]]: what runs by the clock, checked so far that only a machine without time zones could still refuse it.
#include "config/cron_section.hh"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/text.hh"
#include "config/manifest_rules.hh"
#include "model/schedule.hh"

namespace pushrod {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostCrons = 100;
constexpr std::size_t kLongestName = 30;
constexpr DurationRange kTimeouts{1s, 7 * 24h};

std::string required_text(TomlSection& section, const std::string& key) {
  auto text = section.text(key);
  if (!text) section.refuse({}, fmt::format("{} is missing", section.shown(key)));
  return *std::move(text);
}

std::string read_schedule(TomlSection& section) {
  const auto text = required_text(section, "schedule");
  try {
    return Schedule::parse(text).str();
  } catch (const UserError& error) {
    section.refuse("schedule", error.message(), error.hint());
  }
}

Cron::Overlap read_overlap(TomlSection& section) {
  const auto text = section.text("overlap").value_or("skip");
  if (text == "skip") return Cron::Overlap::Skip;
  if (text == "wait") return Cron::Overlap::Wait;
  if (text == "allow") return Cron::Overlap::Allow;
  section.refuse("overlap", fmt::format("{} must be \"skip\", \"wait\" or \"allow\", not {}", section.shown("overlap"),
                                        quoted(text)));
}

std::string read_timezone(TomlSection& section) {
  const auto name = section.text("timezone");
  if (!name) return {};
  if (!TimeZone::find(*name)) {
    section.refuse("timezone", fmt::format("unknown time zone {}", quoted(*name)),
                   "use a name from /usr/share/zoneinfo, such as \"Europe/Berlin\" or \"UTC\"");
  }
  return *name;
}

Cron read_cron(TomlSection section) {
  Cron cron;
  cron.overlap = read_overlap(section);
  section.duration("timeout", cron.timeout, kTimeouts);
  const auto name = section.text("name");
  cron.timezone = read_timezone(section);
  // What is missing is told after what is misspelt.
  const bool complete = section.has("schedule") && section.has("command");
  if (complete) {
    cron.schedule = read_schedule(section);
    cron.command = required_text(section, "command");
    check_command(cron.command, section.shown("command"), section.place("command"));
  } else {
    section.text("schedule");
    section.text("command");
  }
  section.refuse_unknown_keys();
  if (!complete) required_text(section, section.has("schedule") ? "command" : "schedule");
  cron.name =
      parse_process_type(name ? *name : name_for_command(cron.command), section.place(name ? "name" : "command")).str();
  return cron;
}

void check_name(const TomlSection& section, const Cron& cron, const CronTable& before, const ProcessTable& processes) {
  const auto is_called_so = [&](const Cron& other) { return other.name == cron.name; };
  if (std::any_of(before.begin(), before.end(), is_called_so)) {
    section.refuse("name", fmt::format("two cron jobs have the name {}", quoted(cron.name)),
                   "give each its own name: name = \"…\"");
  }
  const auto is_its_type = [&](const Process& process) { return process.type.str() == cron.name; };
  if (cron.name == "web" || std::any_of(processes.begin(), processes.end(), is_its_type)) {
    section.refuse("name", fmt::format("a cron job has the name of a process type: {}", quoted(cron.name)),
                   "their logs would be mixed: give the cron job another name");
  }
}

}  // namespace

std::string name_for_command(std::string_view command) {
  std::string name;
  for (const char character : command) {
    const bool is_upper = character >= 'A' && character <= 'Z';
    const char lower = is_upper ? static_cast<char>(character - 'A' + 'a') : character;
    const bool is_letter = lower >= 'a' && lower <= 'z';
    const bool is_digit = lower >= '0' && lower <= '9';
    if (name.empty() && is_digit) name = "job-";
    if (is_letter || is_digit || lower == '_') {
      if (!name.empty() || lower != '_') name += lower;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  name.resize(std::min(name.size(), kLongestName));
  while (name.ends_with('-')) name.pop_back();
  return name.empty() ? "job" : name;
}

CronTable read_crons(TomlSection& top, const ProcessTable& processes) {
  CronTable crons;
  for (const auto& section : top.sections("cron")) {
    Cron cron = read_cron(section);
    check_name(section, cron, crons, processes);
    crons.push_back(std::move(cron));
    if (crons.size() > kMostCrons) {
      section.refuse({}, fmt::format("more than {} cron jobs", kMostCrons), "run several commands in one of them");
    }
  }
  std::sort(crons.begin(), crons.end(), [](const Cron& a, const Cron& b) { return a.name < b.name; });
  return crons;
}

}  // namespace pushrod
