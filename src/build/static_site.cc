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

}  // namespace pushrod
