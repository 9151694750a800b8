#include "build/nx.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.hh"
#include "base/text.hh"
#include "build/builders.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kFileCap = std::size_t{1} << 20;

Json json_in(const fs::path& directory, const char* name) {
  try {
    auto json = Json::parse(read_tree_file(directory, name, kFileCap).value_or("{}"), nullptr, false);
    return json.is_object() ? json : Json::object();
  } catch (const UserError&) {
    return Json::object();
  }
}

bool is_plain(const std::string& text) {
  return !text.empty() && text.front() != '/' && text.front() != '-' && text.find("..") == std::string::npos;
}

// Of one project: how its program for Node.js is built and run.
std::optional<NxApp> program_of(const fs::path& directory) {
  auto project = json_in(directory, "project.json");
  if (project.empty()) {
    const auto package = json_in(directory, "package.json");
    project = package.value("nx", Json::object());
    if (!project.contains("name")) project["name"] = package.value("name", "");
  }
  const auto& targets = project.at("targets");
  const auto& build = targets.at("build");
  const auto options = build.value("options", Json::object());
  const bool is_program = options.value("platform", "") == "node" || options.value("target", "") == "node" ||
                          targets.value("serve", Json::object()).value("executor", "") == "@nx/js:node";
  const auto name = project.at("name").get<std::string>();
  const auto output = options.at("outputPath").get<std::string>();
  if (!is_program || !is_plain(name) || !is_plain(output)) return std::nullopt;
  const auto main = fs::path(options.value("main", "main.ts")).stem().string() + ".js";
  return NxApp{"nx build " + shell_quoted(name), "HOST=127.0.0.1 node " + shell_quoted(output + "/" + main)};
}

}  // namespace

std::optional<NxApp> nx_app(const fs::path& directory, const PackageJson& package) {
  if (!in_tree(directory, "nx.json") || !package.dependencies.contains("nx")) return std::nullopt;
  if (package.scripts.contains("build") || package.scripts.contains("start")) return std::nullopt;
  std::vector<fs::path> projects{directory};
  for (const char* parent : {"apps", "packages"}) {
    if (!is_directory(directory / parent)) continue;
    for (const auto& name : list_directory(directory / parent)) projects.push_back(directory / parent / name);
  }
  std::optional<NxApp> found;
  for (const auto& project : projects) {
    if (!is_directory(project)) continue;
    try {
      auto program = program_of(project);
      if (program && found) return std::nullopt;
      if (program) found = std::move(program);
    } catch (const Json::exception&) {
      // Built otherwise.
    }
  }
  return found;
}

}  // namespace pushrod
