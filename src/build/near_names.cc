// Near misses of the names that Pushrod reads. A name is reported only if the right one is not there.
#include <fmt/format.h>

#include <algorithm>

#include "base/edit_distance.hh"
#include "base/text.hh"
#include "build/advice.hh"

namespace pushrod {

namespace {

// When a name counts that is neither the right one in other letters nor the right one with ".txt" after it.
enum class Otherwise { Counts, IfNothingRuns, IfNothingBuilds };

struct KnownName {
  std::string name;
  Otherwise otherwise;
  bool is_of_build;  // not read by an app with a build of its own
};
const std::vector<KnownName>& known_names() {
  static const std::vector<KnownName> kNames{
      {"Procfile", Otherwise::IfNothingRuns, false},          {"pushrod.toml", Otherwise::Counts, false},
      {"requirements.txt", Otherwise::IfNothingBuilds, true}, {"package.json", Otherwise::IfNothingBuilds, true},
      {".build.sh", Otherwise::IfNothingBuilds, true},        {"runtime.txt", Otherwise::Counts, true},
      {".python-version", Otherwise::Counts, true},
  };
  return kNames;
}

// The same but for capital letters?
bool is_same(std::string_view a, std::string_view b) { return a.size() == b.size() && edit_distance(a, b) == 0; }

// "procfile", and what editors and browsers of Windows make of it.
bool is_surely_meant(const std::string& found, const std::string& known) {
  return is_same(found, known) || is_same(found, known + ".txt");
}

bool is_misspelt(const std::string& found, const std::string& known) {
  constexpr std::size_t kLongName = 12;
  const std::size_t most = known.size() < kLongName ? 1 : 2;
  if (found.size() > known.size() + most || known.size() > found.size() + most) return false;
  return edit_distance(found, known) <= most;
}

bool is_probably_meant(const std::string& found, const std::string& known) {
  if (is_misspelt(found, known)) return true;
  const auto dot = known.rfind('.');
  const bool lacks_extension = dot != std::string::npos && dot > 0 && is_same(found, known.substr(0, dot));
  if (lacks_extension) return true;
  const auto last_dot = found.rfind('.');
  return last_dot != std::string::npos && is_same(found.substr(0, last_dot), known);
}

bool counts(const KnownName& known, const std::string& found, const Situation& situation) {
  if (is_surely_meant(found, known.name)) return true;
  if (known.otherwise == Otherwise::IfNothingRuns && situation.runs) return false;
  if (known.otherwise == Otherwise::IfNothingBuilds && !situation.built.empty()) return false;
  return is_probably_meant(found, known.name);
}

}  // namespace

std::vector<std::string> misnamed_files(const Situation& situation) {
  constexpr std::size_t kLongestName = 64;
  std::vector<std::string> lines;
  const auto& names = situation.names;
  for (const KnownName& known : known_names()) {
    if (known.is_of_build && situation.own_build) continue;
    if (std::find(names.begin(), names.end(), known.name) != names.end()) continue;
    for (const std::string& found : names) {
      const bool is_known = std::any_of(known_names().begin(), known_names().end(),
                                        [&](const KnownName& other) { return other.name == found; });
      if (is_known || found.size() > kLongestName || !counts(known, found, situation)) continue;
      if (!in_tree(situation.directory, found)) continue;
      lines.push_back(fmt::format("{} is there, but the name that Pushrod reads is {}: git mv {} {}", quoted(found),
                                  known.name, escaped(shell_quoted(found)), known.name));
    }
  }
  return lines;
}

}  // namespace pushrod
