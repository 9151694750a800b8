// package.json → PackageJson.
#include "build/package_json.hh"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "build/builders.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

using Json = nlohmann::json;

constexpr const char* kPackage = "package.json";
constexpr std::size_t kPackageCap = std::size_t{1} << 20;

// "package.json:3:14" for a byte of the text.
std::string place(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, byte == 0 ? 0 : byte - 1);
  const auto line_start = before.rfind('\n');
  const std::size_t column = line_start == std::string_view::npos ? before.size() : before.size() - line_start - 1;
  return fmt::format("{}:{}:{}", kPackage, std::count(before.begin(), before.end(), '\n') + 1, column + 1);
}

Json parse(const std::string& text) {
  try {
    Json package = Json::parse(text);
    if (package.is_object()) return package;
  } catch (const Json::parse_error& error) {
    throw UserError{fmt::format("{}: not valid JSON", place(text, error.byte)), "npm could not read it either"};
  } catch (const Json::exception&) {
    // The one other reason to refuse a text, and without a place.
    throw UserError{fmt::format("{}: a number in it is too large", kPackage), "write a smaller one"};
  }
  throw UserError{fmt::format("{}:1: not a JSON object", kPackage), "npm init -y writes one"};
}

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

// The members of an object that are texts and not empty.
std::map<std::string, std::string> texts_of(const Json& object, const char* key) {
  std::map<std::string, std::string> texts;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_object()) return texts;
  for (const auto& [name, value] : found->items()) {
    if (value.is_string() && !value.get_ref<const std::string&>().empty()) texts.emplace(name, value);
  }
  return texts;
}

// A list, or an object with the list "packages".
std::vector<std::string> workspaces_of(const Json& package) {
  const auto found = package.find("workspaces");
  if (found == package.end()) return {};
  const Json list = found->is_object() ? found->value("packages", Json::array()) : *found;
  std::vector<std::string> patterns;
  if (!list.is_array()) return patterns;
  for (const Json& pattern : list) {
    if (pattern.is_string()) patterns.push_back(pattern.get<std::string>());
  }
  return patterns;
}

bool asks_for_install(const Json& package, const std::map<std::string, std::string>& scripts) {
  for (const char* key : {"dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "workspaces",
                          "bundleDependencies", "bundledDependencies"}) {
    if (const auto found = package.find(key); found != package.end() && !found->empty()) return true;
  }
  for (const char* name :
       {"preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"}) {
    if (scripts.contains(name)) return true;
  }
  return false;
}

bool is_main_file(const fs::path& directory, const std::string& name, bool is_built) {
  const auto slash = name.find('/');
  // A dry run has no files below the app's directory, and a build may write them.
  if (slash != std::string::npos) return is_built || is_directory(directory / name.substr(0, slash));
  for (const char* suffix : {"", ".js", ".json", ".cjs", ".mjs"}) {
    if (in_tree(directory, name + suffix)) return true;
  }
  return is_built || is_directory(directory / name);
}

}  // namespace

std::optional<PackageJson> read_package_json(const fs::path& directory) {
  const auto text = read_tree_file(directory, kPackage, kPackageCap);
  if (!text) return std::nullopt;
  const Json json = parse(*text);
  PackageJson package;
  package.name = text_of(json, "name");
  package.scripts = texts_of(json, "scripts");
  for (const char* key : {"dependencies", "devDependencies"}) {
    for (const auto& [name, range] : texts_of(json, key)) package.dependencies.insert(name);
  }
  package.asks_for_install = asks_for_install(json, package.scripts);
  package.allows_scripts = json.contains("allowScripts");
  package.workspaces = workspaces_of(json);
  package.main = text_of(json, "main");
  package.package_manager = text_of(json, "packageManager");
  package.engines = texts_of(json, "engines");
  package.volta = texts_of(json, "volta");
  package.prisma_schema = texts_of(json, "prisma")["schema"];
  return package;
}

std::string command_without_start_script(const fs::path& directory, const PackageJson& package) {
  if (in_tree(directory, "server.js")) return "node server.js";
  std::string main = package.main.empty() ? "index.js" : package.main;
  if (main.starts_with("./")) main.erase(0, 2);
  const bool is_built = !package.main.empty() && package.scripts.contains("build");
  // Node.js does not run TypeScript.
  if (main.empty() || main.starts_with('/') || main.starts_with("../") || main.ends_with(".ts")) return {};
  return is_main_file(directory, main, is_built) ? "node " + shell_quoted(main) : std::string{};
}

std::string command_of_usual_file(const fs::path& directory) {
  for (const char* name : {"app.js", "src/server.js", "src/app.js", "src/index.js", "src/main.js", "server/index.js"}) {
    if (is_directory((directory / name).parent_path()) && is_plain_file(directory / name))
      return std::string("node ") + name;
  }
  return {};
}

}  // namespace pushrod
