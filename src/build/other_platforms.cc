// Files that tell other platforms what to do. Only those are named whose content would change what happens.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "build/advice.hh"

namespace pushrod {

namespace {

using Json = nlohmann::json;

struct Key {
  std::string key;
  std::string instead;
};
// Of app.json, as Heroku and Dokku read it.
const std::vector<Key>& app_json_keys() {
  static const std::vector<Key> kKeys{
      {"cron", "[[cron]] in pushrod.toml"},
      {"formation", "count in [processes.TYPE] of pushrod.toml"},
      {"healthchecks", "health in [processes.TYPE] of pushrod.toml"},
      {"scripts", "[build] and [release] command in pushrod.toml"},
  };
  return kKeys;
}

bool has_content(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  return found != object.end() && !found->empty();
}

std::string about_app_json(const std::filesystem::path& directory) {
  try {
    const auto text = read_tree_file(directory, "app.json", std::size_t{1} << 20);
    const Json json = text ? Json::parse(*text) : Json::object();
    std::vector<std::string> instead;
    for (const Key& known : app_json_keys()) {
      if (has_content(json, known.key)) instead.push_back(fmt::format("for {}: {}", known.key, known.instead));
    }
    return instead.empty() ? "" : fmt::format("app.json is not read; {}", join(instead, "; "));
  } catch (const UserError&) {
    return {};
  } catch (const Json::exception&) {
    return {};  // another program's app.json
  }
}

}  // namespace

std::vector<std::string> files_of_other_platforms(const Situation& situation) {
  std::vector<std::string> lines;
  if (auto line = about_app_json(situation.directory); !line.empty()) lines.push_back(std::move(line));
  for (const char* name : {"Aptfile", "apt.txt"}) {
    if (!in_tree(situation.directory, name)) continue;
    lines.push_back(
        fmt::format("{} is not read: Debian's packages are installed on the machine, by its administrator, "
                    "with apt-get install",
                    name));
  }
  return lines;
}

}  // namespace pushrod
