// Directories of /app that frameworks write to at run time.
// A framework is a line in one of the tables: those of Node.js are recognised by package.json, others by a
// file that each of their apps has.
#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/error.hh"
#include "base/text.hh"
#include "build/writable.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kLargestFile = std::size_t{1} << 20;
constexpr std::size_t kMostPythonNames = 1'000;
constexpr int kPythonDepth = 3;
constexpr const char* kRunners[] = {"npm", "yarn", "pnpm", "bun"};  // of scripts in package.json

struct Entry {
  const char* name;
  WritablePaths paths;
};
// By the packages that package.json depends on: they may be used from any script.
const std::vector<Entry>& packages() {
  static const std::vector<Entry> kList{
      {"next", {".next"}},
      {"@strapi/strapi", {".cache", ".tmp", "build", "database", "public/uploads", "types"}},
  };
  return kList;
}
// By the programs of Node.js that the commands run.
const std::vector<Entry>& programs() {
  static const std::vector<Entry> kList{
      {"nx", {".nx", "dist", "node_modules/.cache", "tmp"}},
      // Vite writes its configuration, compiled, beside the original, and its cache to node_modules.
      {"vite", {"."}},
      {"astro", {"."}},
      {"json-server", {"."}},  // replaces the file that it serves
      {"nuxt", {".data", ".nuxt", "node_modules/.cache"}},
      {"nuxi", {".data", ".nuxt", "node_modules/.cache"}},
      {"gatsby", {".cache", "public"}},
      {"parcel", {".parcel-cache", "dist"}},
      {"react-scripts", {"node_modules/.cache"}},
      {"vue-cli-service", {"node_modules/.cache"}},
      {"ng", {".angular"}},
      {"eleventy", {"_site"}},
      {"docusaurus", {".docusaurus", "node_modules/.cache"}},
      {"webpack", {"node_modules/.cache"}},
      {"turbo", {".turbo", "node_modules/.cache"}},
  };
  return kList;
}

struct Marker {
  const char* file;
  const char* word;  // in the file; empty: any content
  WritablePaths paths;
};
const std::vector<Marker>& markers() {
  static const std::vector<Marker> kList{
      {"config/application.rb", "Rails", {"log", "storage", "tmp"}},
      {"config/database.yml", "sqlite", {"db", "storage"}},
      {"artisan", "", {"bootstrap/cache", "database", "storage"}},  // Laravel
      {"bin/console", "Symfony", {"var"}},
  };
  return kList;
}

std::string content_of(const fs::path& file) {
  std::error_code error;
  if (!is_plain_file(file) || fs::file_size(file, error) > kLargestFile || error) return {};
  try {
    return read_file(file, kLargestFile, /*follow=*/false).value_or("");
  } catch (const Error&) {
    return {};
  }
}

bool contains(std::string_view text, std::string_view word) { return text.find(word) != text.npos; }

bool depends_on(const Json& package, const std::string& name) {
  for (const char* key : {"dependencies", "devDependencies"}) {
    if (const auto list = package.find(key); list != package.end() && list->is_object() && list->contains(name)) {
      return true;
    }
  }
  return false;
}

std::set<std::string> words_of(std::string_view command) {
  std::set<std::string> words;
  std::string word;
  for (const char c : command) {
    if (c > ' ' && !std::strchr("\"'`;&|()$", c)) {
      word += c;
    } else if (!word.empty()) {
      words.insert(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.insert(word);
  return words;
}

// The words of the commands, and of the scripts of package.json that they run, themselves or through other scripts.
std::set<std::string> words_that_run(const ProcessTable& processes, const Json& package) {
  std::set<std::string> words;
  for (const auto& process : processes) words.merge(words_of(process.command));
  const auto scripts = package.find("scripts");
  const bool runs_scripts =
      std::any_of(std::begin(kRunners), std::end(kRunners), [&](const char* runner) { return words.contains(runner); });
  if (!runs_scripts || scripts == package.end() || !scripts->is_object()) return words;
  std::set<std::string> seen;
  for (bool grew = true; grew;) {
    grew = false;
    for (const auto& [name, script] : scripts->items()) {
      if (!script.is_string() || !words.contains(name) || !seen.insert(name).second) continue;
      words.merge(words_of(script.get<std::string>()));
      grew = true;
    }
  }
  return words;
}

bool names_program(const std::set<std::string>& words, const std::string& program) {
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& word) { return word == program || word.ends_with("/" + program); });
}

void add_node(const fs::path& directory, const ProcessTable& processes, WritablePaths& paths) {
  const Json package = Json::parse(content_of(directory / "package.json"), nullptr, /*allow_exceptions=*/false);
  if (!package.is_object()) return;
  for (const auto& [name, needs] : packages()) {
    if (depends_on(package, name)) paths.insert(paths.end(), needs.begin(), needs.end());
  }
  const auto words = words_that_run(processes, package);
  for (const auto& [name, needs] : programs()) {
    if (names_program(words, name)) paths.insert(paths.end(), needs.begin(), needs.end());
  }
}

// A database of SQLite beside the code, which is what new projects of Django and tutorials of Flask have.
bool has_sqlite_database(const std::string& code) {
  return contains(code, "django.db.backends.sqlite3") || contains(code, "sqlite:///");
}

// It can be told to use another one.
bool chooses_database(const std::string& code) {
  return contains(code, "DATABASE_URL") || contains(code, "dj_database_url") || contains(code, "DATA_DIR");
}

// What the code writes to beside it: everything, for such a database, or the directory that Flask's tutorial makes.
WritablePaths written_by(const std::string& code) {
  if (has_sqlite_database(code)) return {"."};
  return contains(code, ".instance_path") ? WritablePaths{"instance"} : WritablePaths{};
}

// Looks for it in the Python files of a tree, those near the root first. The root must have some, or a package.
struct PythonWrites {
  WritablePaths paths;
  bool has_database = false;  // always, whatever it is told
};
PythonWrites written_by_python(const fs::path& root) {
  const auto is_python = [](const std::string& name) { return name.ends_with(".py"); };
  const auto names_at_root = list_directory(root);
  if (std::none_of(names_at_root.begin(), names_at_root.end(), [&](const std::string& name) {
        return is_python(name) || name == "requirements.txt" || name == "pyproject.toml" || name == "Pipfile";
      })) {
    return {};
  }
  std::vector<fs::path> level{root};
  std::size_t seen = 0;
  PythonWrites found;
  for (int depth = 0; depth < kPythonDepth && !level.empty(); ++depth) {
    std::vector<fs::path> below;
    for (const auto& directory : level) {
      for (const auto& name : list_directory(directory)) {
        if (++seen > kMostPythonNames) return found;
        if (is_python(name)) {
          const auto code = content_of(directory / name);
          auto paths = written_by(code);
          if (paths == WritablePaths{"."}) return {std::move(paths), !chooses_database(code)};
          if (!paths.empty()) found.paths = std::move(paths);
        } else if (!name.starts_with('.') && name != "node_modules" && name != "tests" &&
                   is_directory(directory / name)) {
          below.push_back(directory / name);
        }
      }
    }
    level = std::move(below);
  }
  return found;
}

}  // namespace

bool has_database_beside_code(const fs::path& directory) { return written_by_python(directory).has_database; }

WritablePaths known_writable(const fs::path& directory, const ProcessTable& processes) {
  WritablePaths paths;
  add_node(directory, processes, paths);
  for (const auto& marker : markers()) {
    const fs::path file = directory / marker.file;
    if (!is_plain_file(file) || !contains(content_of(file), marker.word)) continue;
    paths.insert(paths.end(), marker.paths.begin(), marker.paths.end());
  }
  const auto python = written_by_python(directory).paths;
  paths.insert(paths.end(), python.begin(), python.end());
  if (std::find(paths.begin(), paths.end(), ".") != paths.end()) return {"."};
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

}  // namespace pushrod
