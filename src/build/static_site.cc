// A site of files: index.html in the app's directory, public/ or dist/. It counts only where the tree has nothing else
// that builds or runs.
#include <fmt/format.h>

#include "base/text.hh"
#include "build/builders.hh"
#include "build/file_server.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr const char* kPlaces[] = {"", "public", "dist"};

}  // namespace

std::optional<BuildPlan> plan_static(const AppTree& tree, const std::string& where, const Host& host) {
  if (where != tree.path) return std::nullopt;
  for (const std::string place : kPlaces) {
    const auto directory = tree.directory() / place;
    if (!is_directory(directory) || !in_tree(directory, "index.html")) continue;
    BuildPlan plan;
    plan.language = "static files";
    plan.description = fmt::format("static files, {}index.html, served by nginx", place.empty() ? "" : place + "/");
    plan.environment["PATH"] = path_variable();
    add_file_server({.root = in_sandbox(tree.path) + (place.empty() ? "" : "/" + place)}, host, plan);
    return plan;
  }
  return std::nullopt;
}

void serve_static_files(const AppTree& tree, const std::string& directory, const Host& host, BuildPlan& plan) {
  if (plan.builder == "static") {
    BuildPlan files_alone;
    files_alone.builder = plan.builder;
    files_alone.language = plan.language;
    files_alone.environment = plan.environment;
    plan = std::move(files_alone);
  }
  std::erase_if(plan.default_processes, [](const Process& process) { return process.is_routed(); });
  plan.guessed_web.reset();
  const auto served = fmt::format("{}/ is served by nginx", directory == "." ? "/app" : directory);
  plan.description = has_nothing_to_build(plan) ? served : plan.description + "; " + served;
  add_file_server({.root = in_sandbox(tree.path) + (directory == "." ? "" : "/" + directory)}, host, plan);
}

}  // namespace pushrod
