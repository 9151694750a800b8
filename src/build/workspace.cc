// Which workspace a package belongs to.
#include "build/workspace.hh"

#include <fnmatch.h>

#include <algorithm>

#include "build/builders.hh"
#include "build/node_tool.hh"
#include "build/package_json.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

bool matches(std::string pattern, const std::string& path) {
  if (pattern.starts_with("./")) pattern.erase(0, 2);
  while (pattern.ends_with('/')) pattern.pop_back();
  const int flags = pattern.find("**") == std::string::npos ? FNM_PATHNAME : 0;
  return fnmatch(pattern.c_str(), path.c_str(), flags) == 0;
}

// Is the package at `path`, relative to this directory, part of a workspace whose root this directory is? The last
// pattern that matches counts, and one that begins with "!" takes packages out.
bool is_workspace_of(const fs::path& directory, const std::string& path) {
  if (in_tree(directory, "pnpm-workspace.yaml")) return true;
  const auto package = read_package_json(directory);
  if (!package) return false;
  bool is_member = false;
  for (const std::string& pattern : package->workspaces) {
    const bool excludes = pattern.starts_with('!');
    if (matches(excludes ? pattern.substr(1) : pattern, path)) is_member = !excludes;
  }
  return is_member;
}

}  // namespace

std::string install_directory(const AppTree& tree, const std::string& package) {
  if (has_lock_file(tree.root / package)) return package;
  for (const auto& directory : AppTree{tree.root, package}.upwards()) {
    if (directory == package) continue;
    const auto member = directory.empty() ? package : package.substr(directory.size() + 1);
    if (is_workspace_of(tree.root / directory, member)) return directory;
  }
  return package;
}

std::optional<std::string> package_above(const fs::path& repo, const std::string& path) {
  if (path.empty() || has_lock_file(repo / path)) return std::nullopt;
  const AppTree whole{repo, path};
  if (in_tree(repo / path, "package.json")) {
    const auto directory = install_directory(whole, path);
    return directory == path ? std::nullopt : std::optional(directory);
  }
  const auto names = list_directory(repo / path);
  const bool has_code =
      std::any_of(names.begin(), names.end(), [](const std::string& name) { return name.ends_with(".js"); });
  return has_code ? whole.nearest({"package.json"}) : std::nullopt;
}

}  // namespace pushrod
