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
#include "build/node_writes.hh"
#include "build/writable.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kLargestFile = std::size_t{1} << 20;
constexpr std::size_t kMostNames = 1'000;  // in which code is looked for
constexpr int kCodeDepth = 4;
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
      {"payload", {".next", "media"}},
      {"directus", {"extensions", "uploads"}},
      {"@medusajs/medusa", {".medusa", "static", "uploads"}},
      {"@adonisjs/core", {"tmp"}},
      {"@nuxt/content", {".data"}},
      {"@nuxthub/core", {".data"}},
      {"i18n", {"locales"}},
  };
  return kList;
}
// Those that keep data in files, which nearly all apps have beside the code.
constexpr const char* kDatabases[] = {"better-sqlite3",
                                      "sqlite3",
                                      "sqlite",
                                      "@louislam/sqlite3",
                                      "@libsql/client",
                                      "libsql",
                                      "nedb",
                                      "nedb-promises",
                                      "@seald-io/nedb",
                                      "lowdb",
                                      "node-json-db",
                                      "@payloadcms/db-sqlite",
                                      "@prisma/adapter-better-sqlite3",
                                      "@prisma/adapter-libsql",
                                      "@mikro-orm/sqlite",
                                      "@mikro-orm/libsql",
                                      "@keyv/sqlite",
                                      "connect-sqlite3",
                                      "pouchdb",
                                      "level",
                                      "classic-level",
                                      "duckdb",
                                      "@duckdb/node-api",
                                      "@electric-sql/pglite"};
constexpr const char* kFileStores[] = {"multer",
                                       "@koa/multer",
                                       "formidable",
                                       "express-formidable",
                                       "express-fileupload",
                                       "koa-body",
                                       "connect-multiparty",
                                       "node-persist",
                                       "session-file-store",
                                       "node-localstorage",
                                       "keyv-file",
                                       "rotating-file-stream",
                                       "winston-daily-rotate-file"};
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
      {"prisma/schema.prisma", "\"sqlite\"", {"."}},
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

Json package_json_of(const fs::path& directory) {
  auto package = Json::parse(content_of(directory / "package.json"), nullptr, /*allow_exceptions=*/false);
  return package.is_object() ? package : Json::object();
}

template <class List>
bool depends_on_any(const Json& package, const List& names) {
  return std::any_of(std::begin(names), std::end(names), [&](const char* name) { return depends_on(package, name); });
}

void add_node(const fs::path& directory, const ProcessTable& processes, WritablePaths& paths) {
  const Json package = package_json_of(directory);
  if (depends_on_any(package, kDatabases) || depends_on_any(package, kFileStores)) paths.emplace_back(".");
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

bool is_python(const std::string& name) { return name.ends_with(".py"); }

// Directories whose code does not run in production, or was made from code elsewhere.
bool is_beside_code(const std::string& name) {
  constexpr const char* kNames[] = {"node_modules", "tests", "test",   "__tests__", "e2e",   "cypress", "scripts",
                                    "tools",        "docs",  "public", "dist",      "build", "out",     "coverage"};
  return name.starts_with('.') || std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

// The files of code in a tree, those near the root first, until one of them says all.
template <class SaysAll>
void look_at_code(const fs::path& root, bool (*is_code)(const std::string& name), SaysAll says_all) {
  std::vector<fs::path> level{root};
  std::size_t seen = 0;
  for (int depth = 0; depth < kCodeDepth && !level.empty(); ++depth) {
    std::vector<fs::path> below;
    for (const auto& directory : level) {
      for (const auto& name : list_directory(directory)) {
        if (++seen > kMostNames) return;
        if (is_code(name)) {
          if (says_all(directory / name, content_of(directory / name))) return;
        } else if (!is_beside_code(name) && is_directory(directory / name)) {
          below.push_back(directory / name);
        }
      }
    }
    level = std::move(below);
  }
}

// The root must have some Python, or a package of it.
struct PythonWrites {
  WritablePaths paths;
  bool has_database = false;  // always, whatever it is told
};
PythonWrites written_by_python(const fs::path& root) {
  const auto names_at_root = list_directory(root);
  if (std::none_of(names_at_root.begin(), names_at_root.end(), [&](const std::string& name) {
        return is_python(name) || name == "requirements.txt" || name == "pyproject.toml" || name == "Pipfile";
      })) {
    return {};
  }
  PythonWrites found;
  look_at_code(root, is_python, [&](const fs::path&, const std::string& code) {
    auto paths = written_by(code);
    const bool is_all = paths == WritablePaths{"."};
    if (is_all) found.has_database = !chooses_database(code);
    if (!paths.empty()) found.paths = std::move(paths);
    return is_all;
  });
  return found;
}

// new Database("app.db"), and not process.env.DATABASE || "app.db"
bool names_database(const std::string& code) {
  const auto lines = lines_of(code);
  return std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    if (contains(line, "process.env") || contains(line, "/data/")) return false;
    for (const std::string name : {".db", ".sqlite", ".sqlite3"}) {
      for (const char* quote : {"'", "\"", "`"}) {
        if (contains(line, name + quote)) return true;
      }
    }
    return false;
  });
}

bool node_has_database(const fs::path& directory) {
  if (contains(content_of(directory / "prisma/schema.prisma"), "\"file:")) return true;
  if (!depends_on_any(package_json_of(directory), kDatabases)) return false;
  bool found = false;
  bool is_told_where = false;
  look_at_code(directory, is_script, [&](const fs::path&, const std::string& code) {
    found = found || names_database(code);
    is_told_where = contains(code, "DATA_DIR");
    return is_told_where;
  });
  return found && !is_told_where;
}

bool runs_node(const ProcessTable& processes) {
  constexpr const char* kPrograms[] = {"node", "npm", "npx",     "yarn",    "pnpm",
                                       "bun",  "tsx", "ts-node", "nodemon", "next"};
  return std::any_of(processes.begin(), processes.end(), [&](const Process& process) {
    const auto words = words_of(process.command);
    return std::any_of(std::begin(kPrograms), std::end(kPrograms),
                       [&](const char* program) { return names_program(words, program); });
  });
}

struct NodeWrites {
  bool writes = false;
  fs::path beside_code;  // the first file of code that does, and nowhere else
};
NodeWrites written_by_node(const fs::path& root, const ProcessTable& processes) {
  NodeWrites found;
  if (!is_plain_file(root / "package.json") || !runs_node(processes)) return found;
  look_at_code(root, is_program, [&](const fs::path& file, const std::string& code) {
    if (!writes_files(code) || contains(code, "DATA_DIR")) return false;
    found.writes = true;
    if (!writes_elsewhere(code)) found.beside_code = file;
    return !found.beside_code.empty();
  });
  return found;
}

}  // namespace

std::string code_that_writes(const fs::path& directory, const ProcessTable& processes) {
  return written_by_node(directory, processes).beside_code.lexically_relative(directory).native();
}

bool has_database_beside_code(const fs::path& directory) {
  return written_by_python(directory).has_database || node_has_database(directory);
}

WritablePaths known_writable(const fs::path& directory, const ProcessTable& processes) {
  WritablePaths paths;
  add_node(directory, processes, paths);
  for (const auto& marker : markers()) {
    const fs::path file = directory / marker.file;
    if (!is_plain_file(file) || !contains(content_of(file), marker.word)) continue;
    paths.insert(paths.end(), marker.paths.begin(), marker.paths.end());
  }
  if (written_by_node(directory, processes).writes) paths.emplace_back(".");
  const auto python = written_by_python(directory).paths;
  paths.insert(paths.end(), python.begin(), python.end());
  if (std::find(paths.begin(), paths.end(), ".") != paths.end()) return {"."};
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

}  // namespace pushrod
