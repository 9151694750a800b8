// A machine has one Node.js and few versions of Python, so a version that is asked for may be missing. That is told and
// does not make a push fail: most apps ask for more than they need.
#include "build/wanted_versions.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/error.hh"
#include "base/text.hh"
#include "build/package_json.hh"
#include "build/python_packages.hh"
#include "build/version_range.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::size_t kSmallFile = 4096;

using Wish = WantedRange;

// A file that cannot be read is left to the tool that it is for.
std::optional<std::string> small_file(const fs::path& directory, const std::string& name) {
  try {
    return read_tree_file(directory, name, kSmallFile);
  } catch (const UserError&) {
    return std::nullopt;
  }
}

// The first word of a file that is not a comment.
std::optional<std::string> first_word(const fs::path& directory, const std::string& name) {
  const auto text = small_file(directory, name);
  if (!text) return std::nullopt;
  for (const std::string& line : lines_of(*text)) {
    const auto word = trim(std::string_view(line).substr(0, line.find('#')));
    if (!word.empty()) return std::string(word);
  }
  return std::nullopt;
}

// A line "nodejs 20.1.0" of .tool-versions, as asdf and mise read it.
void add_tool_version(const fs::path& directory, const std::vector<std::string>& tools, std::vector<Wish>& wishes) {
  const auto text = small_file(directory, ".tool-versions");
  if (!text) return;
  for (const std::string& line : lines_of(*text)) {
    std::vector<std::string> words;
    for (const std::string& word : split(std::string_view(line).substr(0, line.find('#')), ' ')) {
      if (!trim(word).empty()) words.emplace_back(trim(word));
    }
    if (words.size() < 2 || std::find(tools.begin(), tools.end(), words[0]) == tools.end()) continue;
    if (words[1] != "system" && words[1] != "latest") wishes.push_back({".tool-versions", words[1]});
  }
}

// nvm's names of versions. Absent: the text is not one of them.
std::optional<std::string> range_of_alias(const std::string& text) {
  for (const char* any : {"node", "stable", "latest", "current", "system", "default", "lts", "lts/*", "lts-latest"}) {
    if (text == any) return "*";
  }
  static const std::map<std::string, std::string> kNames{
      {"lts/argon", "4"},   {"lts/boron", "6"},    {"lts/carbon", "8"},   {"lts/dubnium", "10"},
      {"lts/erbium", "12"}, {"lts/fermium", "14"}, {"lts/gallium", "16"}, {"lts/hydrogen", "18"},
      {"lts/iron", "20"},   {"lts/jod", "22"},     {"lts/krypton", "24"},
  };
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  const auto found = kNames.find(lower);
  return found == kNames.end() ? std::nullopt : std::optional(found->second);
}

std::optional<PackageJson> package_of(const fs::path& directory) {
  try {
    return read_package_json(directory);
  } catch (const UserError&) {
    return std::nullopt;  // an app with a build of its own may have any file there
  }
}

void add_member(const std::map<std::string, std::string>& members, const std::string& source, const std::string& name,
                std::vector<Wish>& wishes) {
  if (const auto found = members.find(name); found != members.end()) wishes.push_back({source + name, found->second});
}

std::vector<Wish> wishes_for_node(const fs::path& directory, const std::optional<PackageJson>& package) {
  std::vector<Wish> wishes;
  if (package) {
    add_member(package->engines, "package.json: engines.", "node", wishes);
    add_member(package->volta, "package.json: volta.", "node", wishes);
  }
  for (const char* name : {".nvmrc", ".node-version"}) {
    if (auto word = first_word(directory, name)) wishes.push_back({name, range_of_alias(*word).value_or(*word)});
  }
  add_tool_version(directory, {"nodejs", "node"}, wishes);
  return wishes;
}

std::vector<Wish> wishes_for_npm(const std::optional<PackageJson>& package) {
  std::vector<Wish> wishes;
  if (!package) return wishes;
  add_member(package->engines, "package.json: engines.", "npm", wishes);
  constexpr std::string_view kNpm = "npm@";
  if (package->package_manager.starts_with(kNpm)) {
    const auto version = package->package_manager.substr(kNpm.size());
    wishes.push_back({"package.json: packageManager", version.substr(0, version.find('+'))});
  }
  return wishes;
}

std::vector<Wish> wishes_for_python(const fs::path& directory) {
  std::vector<Wish> wishes;
  for (const char* name : {".python-version", "runtime.txt"}) {
    auto word = first_word(directory, name);
    if (!word) continue;
    if (word->starts_with("python-")) word->erase(0, 7);
    wishes.push_back({name, *word});
  }
  add_tool_version(directory, {"python"}, wishes);
  if (const auto project = read_pyproject(directory); project && !project->requires_python.empty()) {
    wishes.push_back({"pyproject.toml: requires-python", project->requires_python});
  }
  if (const auto lock = read_pipfile_lock(directory); lock && !lock->python.empty()) {
    wishes.push_back({"Pipfile.lock", lock->python});
  }
  return wishes;
}

using IsInRange = std::optional<bool> (*)(const Version& version, std::string_view range);

struct Present {
  std::string name;     // "Node.js"
  std::string program;  // that tells its version
  IsInRange is_in_range;
};

void add_unmet(const std::vector<Wish>& wishes, const Present& present, const Host& host,
               std::vector<std::string>& lines) {
  if (wishes.empty()) return;
  const auto text = host.version_of(present.program);
  const auto version = find_version(text);
  if (!version) return;  // not installed, or not answering: the build says so, if it needs it
  for (const Wish& wish : wishes) {
    const auto is_met = present.is_in_range(*version, wish.range);
    if (is_met == true) continue;
    const auto shown = fmt::format("{}.{}.{}", version->at(0), version->at(1), version->at(2));
    lines.push_back(is_met
                        ? fmt::format("{} asks for {} {}; this machine has {}, which is used: allow that version, or "
                                      "have the administrator install the other one",
                                      wish.source, present.name, escaped(wish.range, 80), shown)
                        : fmt::format("{} asks for {} {}, which is not understood; this machine's {} is used: write a "
                                      "version or a range",
                                      wish.source, present.name, quoted(wish.range, 80), shown));
  }
}

}  // namespace

std::optional<WantedRange> unmet_node_range(const fs::path& directory, const Host& host) {
  const auto wishes = wishes_for_node(directory, package_of(directory));
  if (wishes.empty()) return std::nullopt;
  const auto version = find_version(host.version_of("node"));
  if (!version) return std::nullopt;
  for (const auto& wish : wishes) {
    if (is_in_npm_range(*version, wish.range) == false) return wish;
  }
  return std::nullopt;
}

std::vector<std::string> unmet_node_versions(const fs::path& directory, const Host& host, bool has_own_node) {
  const auto package = package_of(directory);
  std::vector<std::string> lines;
  if (has_own_node) return lines;
  add_unmet(wishes_for_node(directory, package), {"Node.js", "node", is_in_npm_range}, host, lines);
  add_unmet(wishes_for_npm(package), {"npm", "npm", is_in_npm_range}, host, lines);
  return lines;
}

std::vector<std::string> unmet_python_versions(const fs::path& directory, const Host& host,
                                               const std::string& program) {
  std::vector<std::string> lines;
  add_unmet(wishes_for_python(directory), {"Python", program, is_in_python_range}, host, lines);
  return lines;
}

}  // namespace pushrod
