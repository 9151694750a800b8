// pnpm, yarn and bun give each package of a workspace a node_modules of its own.
#include "build/own_packages.hh"

#include <fnmatch.h>

#include <algorithm>
#include <string_view>

#include "base/text.hh"
#include "build/builders.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr const char* kModules = "/node_modules";
constexpr std::size_t kMostPackages = 100;  // each has a mount in every instance

void add(OwnPackages& own, const std::string& path) {
  if (!is_plain_path(path) || own.directories.size() >= kMostPackages) {
    own.uses_tree = true;
    return;
  }
  own.directories.insert(path);
  own.modules.insert(path + kModules);
}

std::string_view without_quotes(std::string_view text) {
  const bool is_quoted =
      text.size() > 1 && (text.front() == '\'' || text.front() == '"') && text.back() == text.front();
  return is_quoted ? text.substr(1, text.size() - 2) : text;
}

std::string plain(std::string pattern) {
  while (pattern.starts_with("./")) pattern.erase(0, 2);
  while (pattern.ends_with('/')) pattern.pop_back();
  return pattern;
}

// The directories that match the parts of a pattern, from one of them on. Absent when a symlink does.
std::optional<std::vector<std::string>> matching(const fs::path& root, const std::vector<std::string>& parts) {
  std::vector<std::string> found{""};
  for (const auto& part : parts) {
    std::vector<std::string> below;
    for (const auto& here : found) {
      for (const auto& name : list_directory(root / here)) {
        if (name == "node_modules" || fnmatch(part.c_str(), name.c_str(), FNM_PERIOD) != 0) continue;
        if (fs::is_symlink(fs::symlink_status(root / here / name))) return std::nullopt;
        if (is_directory(root / here / name)) below.push_back(here.empty() ? name : here + "/" + name);
      }
    }
    found = std::move(below);
  }
  return found;
}

}  // namespace

bool is_plain_path(const std::string& path) {
  const fs::path parts(path);
  return path.find('\0') == std::string::npos && !path.empty() && !parts.is_absolute() &&
         parts.lexically_normal() == parts && *parts.begin() != "..";
}

std::optional<OwnPackages> packages_in_pnpm_lock(const std::string& lock) {
  constexpr std::string_view kLink = ": link:";
  std::optional<OwnPackages> own;
  std::set<std::string> linked;
  bool lists = false;
  fs::path package;
  for (const std::string& line : lines_of(lock)) {
    if (line.empty()) continue;
    if (line.front() != ' ') {
      lists = line.starts_with("importers:");
      if (lists) own.emplace();
      continue;
    }
    const auto link = line.find(kLink);
    if (lists && line.starts_with("  ") && line.size() > 2 && line[2] != ' ') {
      // "  packages/web:", or "  packages/web: {}"
      package = without_quotes(std::string_view(line).substr(2, line.rfind(':') - 2));
      if (package != ".") add(*own, package.native());
    } else if (link != std::string::npos && lists) {
      const auto target = without_quotes(std::string_view(line).substr(link + kLink.size()));
      linked.insert((package / target).lexically_normal().native());
    } else if (link != std::string::npos && own) {
      own->uses_tree = true;
    }
  }
  if (own && !std::includes(own->directories.begin(), own->directories.end(), linked.begin(), linked.end())) {
    own->uses_tree = true;
  }
  return own;
}

OwnPackages packages_of_workspaces(const fs::path& directory, const std::vector<std::string>& patterns) {
  OwnPackages own;
  for (const auto& pattern : patterns) {
    const auto parts = split(plain(pattern), '/');
    const bool is_simple = pattern.find("**") == pattern.npos && pattern.find_first_of("!{}()\\") == pattern.npos &&
                           is_plain_path(plain(pattern));
    const auto found = is_simple ? matching(directory, parts) : std::nullopt;
    if (!found) own.uses_tree = true;
    for (const auto& path : found.value_or(std::vector<std::string>{})) {
      if (in_tree(directory / path, "package.json")) add(own, path);
    }
  }
  return own;
}

std::optional<OwnPackages> own_packages(const fs::path& directory, const PackageJson& package, const NodeTool& tool,
                                        const std::string& lock) {
  if (tool.name == "npm") return packages_in_npm_lock(lock);
  if (tool.name == "pnpm") return packages_in_pnpm_lock(lock);
  if (package.workspaces.empty()) return std::nullopt;
  return packages_of_workspaces(directory, package.workspaces);
}

}  // namespace pushrod
