// Reads package-lock.json as far as it is about the app's own packages.
#include <nlohmann/json.hpp>
#include <string_view>

#include "build/own_packages.hh"

namespace pushrod {

namespace {

constexpr std::string_view kModules = "node_modules";
constexpr std::size_t kMostModules = 200;  // each is a mount of every instance

// Where the first directory of packages in this path ends; npos if there is none.
std::size_t end_of_modules(const std::string& path) {
  for (auto at = path.find(kModules); at != std::string::npos; at = path.find(kModules, at + 1)) {
    const auto end = at + kModules.size();
    if ((at == 0 || path[at - 1] == '/') && path[end] == '/') return end;
  }
  return std::string::npos;
}

}  // namespace

std::optional<OwnPackages> packages_in_npm_lock(const std::string& lock) {
  const auto json = nlohmann::json::parse(lock, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  const auto packages = json.find("packages");
  if (packages == json.end() || !packages->is_object()) return std::nullopt;
  OwnPackages own;
  for (const auto& [path, package] : packages->items()) {
    if (path.empty()) continue;
    const auto resolved = package.is_object() ? package.find("resolved") : package.end();
    if (package.is_object() && resolved != package.end() && resolved->is_string() &&
        resolved->get_ref<const std::string&>().starts_with("file:")) {
      own.uses_tree = true;
    }
    if (!is_plain_path(path)) {
      own.uses_tree = true;
      continue;
    }
    const auto end = end_of_modules(path);
    if (end == std::string::npos) {
      own.directories.insert(path);
    } else if (end > kModules.size()) {
      own.modules.insert(path.substr(0, end));
    }
  }
  if (own.modules.size() > kMostModules) own.uses_tree = true;
  return own;
}

}  // namespace pushrod
