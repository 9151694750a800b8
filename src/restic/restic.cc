// restic.
#include "restic/restic.hh"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

constexpr std::chrono::hours kDeadline{24 * 7};
constexpr std::size_t kMostLines = 5;

// "2026-11-29T22:40:08.123456789Z", or with an offset. Seconds are enough.
WallTime time_from(const std::string& text) {
  std::tm parts = {};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) throw Error("restic names a time that cannot be read: " + quoted(text));
  auto seconds = timegm(&parts);
  const std::string_view zone = rest + std::string_view(rest).find_first_of("Z+-");
  if (zone.size() == 6) {
    const auto hours = parse_unsigned(zone.substr(1, 2)).value_or(0),
               minutes = parse_unsigned(zone.substr(4, 2)).value_or(0);
    const auto offset = static_cast<std::int64_t>(hours * 3600 + minutes * 60);
    seconds += zone.front() == '-' ? offset : -offset;
  }
  return from_epoch_milliseconds(seconds * 1000);
}

std::string first_line(const std::string& text) {
  for (const auto& line : lines_of(text)) {
    if (!trim(line).empty()) return escaped(std::string(trim(line)));
  }
  return {};
}

}  // namespace

Command restic_command(const ResticRepository& repository, std::vector<std::string> words) {
  if (!find_program("restic")) throw UserError("restic, which makes backups, is not installed", "apt install restic");
  Command command;
  command.argv = {"restic", "--quiet"};
  command.argv.insert(command.argv.end(), words.begin(), words.end());
  command.environment["RESTIC_REPOSITORY"] = repository.url;
  command.environment["RESTIC_PASSWORD"] = repository.password.reveal();
  command.environment["RESTIC_CACHE_DIR"] = repository.cache.string();
  // Its ssh would ask at Pushrod's terminal and wait there for ever, since it is a process in the background.
  command.environment["SSH_ASKPASS"] = "/bin/false";
  command.environment["SSH_ASKPASS_REQUIRE"] = "force";
  for (const auto& [name, value] : repository.variables) command.environment[name] = value.reveal();
  command.deadline = kDeadline;
  return command;
}

UserError restic_failed(const std::string& doing, const CommandResult& result, const std::string& complaints) {
  auto why = first_line(complaints);
  UserError error(fmt::format("{}: {}", doing, why.empty() ? "restic: " + result.describe() : why));
  std::vector<std::string> lines;
  for (const auto& line : lines_of(complaints)) {
    if (lines.size() < kMostLines && !trim(line).empty()) lines.push_back(line);
  }
  if (lines.size() > 1) error.set_evidence(std::move(lines));
  return error;
}

std::string run_restic(const ResticRepository& repository, const std::vector<std::string>& words) {
  const auto result = run(restic_command(repository, words));
  if (!result.ok()) throw restic_failed(fmt::format("restic {} failed", words.front()), result, result.err);
  return result.out;
}

std::vector<Snapshot> parse_snapshots(const std::string& text) {
  const auto list = nlohmann::json::parse(text, nullptr, false);
  std::vector<Snapshot> found;
  if (list.is_null()) return found;
  if (!list.is_array()) throw Error("restic's list of snapshots cannot be read");
  for (const auto& one : list) {
    Snapshot snapshot{one.at("short_id").get<std::string>(), {}, time_from(one.at("time").get<std::string>())};
    const auto tags = one.contains("tags") && one.at("tags").is_array() ? one.at("tags") : nlohmann::json::array();
    for (const auto& tag : tags) {
      const auto word = tag.get<std::string>();
      const auto equals = word.find('=');
      snapshot.tags.emplace(word.substr(0, equals), equals == word.npos ? "" : word.substr(equals + 1));
    }
    found.push_back(std::move(snapshot));
  }
  std::stable_sort(found.begin(), found.end(), [](const Snapshot& a, const Snapshot& b) { return a.time < b.time; });
  return found;
}

bool open_or_make(const ResticRepository& repository) {
  const auto config = run(restic_command(repository, {"--no-lock", "cat", "config"}));
  if (config.ok()) return false;
  if (config.err.find("wrong password") != std::string::npos) {
    throw UserError("there are backups at this URL, which the given password does not open",
                    "give the password that was shown when the target was first added: RESTIC_PASSWORD=…");
  }
  const auto made = run(restic_command(repository, {"init"}));
  if (made.ok()) return true;
  const auto why = first_line(made.err);
  UserError error(fmt::format("the target cannot be used: {}", why.empty() ? made.describe() : why),
                  "docs/backup.md shows URLs and credentials of each kind of target");
  throw error;
}

void remove_stale_locks(const ResticRepository& repository) { run_restic(repository, {"unlock", "--remove-all"}); }

std::vector<Snapshot> snapshots(const ResticRepository& repository, const std::vector<std::string>& tags) {
  std::vector<std::string> words{"--no-lock", "snapshots", "--json"};
  if (!tags.empty()) {
    std::string list;
    for (const auto& tag : tags) (list += list.empty() ? "" : ",") += tag;
    words.insert(words.end(), {"--tag", list});
  }
  return parse_snapshots(run_restic(repository, words));
}

}  // namespace pushrod
