// Build roots and manifests, as paths of a repo.
#include "model/source.hh"

#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

constexpr const char* kManifest = "pushrod.toml";

bool contains(const std::string& directory, const std::string& path) {
  return directory.empty() || path == directory || path.starts_with(directory + "/");
}

// "../.." from "apps/web" is the root of the repo.
std::string upwards(const std::string& text, const std::string& path) {
  auto parts = path.empty() ? std::vector<std::string>{} : split(path, '/');
  for (const auto& part : split(text, '/')) {
    if (part == ".") continue;
    if (part != "..") {
      throw UserError(fmt::format("build root {} does not contain the app's path {}", quoted(text), quoted(path)),
                      "write it relative to the app's path, as .. or ../..");
    }
    if (parts.empty()) {
      throw UserError(fmt::format("build root {} is above the root of the repo", quoted(text)),
                      path.empty() ? "the app's path is the root of the repo: it needs no build root"
                                   : fmt::format("the app's path is {}", quoted(path)));
    }
    parts.pop_back();
  }
  return join(parts, "/");
}

}  // namespace

std::string root_of(const Source& source) { return source.build_root.value_or(source.path); }

std::string path_in_root(const Source& source) {
  const auto root = root_of(source);
  if (root == source.path) return {};
  return root.empty() ? source.path : source.path.substr(root.size() + 1);
}

std::string directory_in_sandbox(const Source& source) {
  const auto path = path_in_root(source);
  return path.empty() ? "/app" : "/app/" + path;
}

std::string parse_build_root(const std::string& text, const std::string& path, BuildRootForm form) {
  const auto first = text.substr(0, text.find('/'));
  if (form == BuildRootForm::InRepo && first != "..") {
    const auto root = text == "." ? std::string{} : parse_app_path(text);
    if (contains(root, path)) return root;
    throw UserError(fmt::format("build root {} does not contain the app's path {}", quoted(text), quoted(path)),
                    "name a directory of the repo above the path, or . for the whole repo");
  }
  if (text.empty()) throw UserError("a build root cannot be empty", "write it relative to the app's path, as ..");
  auto trimmed = text;
  if (trimmed.size() > 1 && trimmed.ends_with('/')) trimmed.pop_back();
  return upwards(trimmed, path);
}

std::string parse_config_path(const std::string& text) {
  if (text.empty()) throw UserError("the path of the manifest is empty", "name a file of the repo, such as web.toml");
  try {
    return parse_app_path(text);
  } catch (const UserError& error) {
    throw UserError("the manifest's " + error.message(), "its path starts at the root of the repo");
  }
}

void check_same_branch(const App& app, ReleaseNumber release, const Source& came_from) {
  if (came_from.repo == app.repo && came_from.branch == app.branch) return;
  throw UserError(fmt::format("release {} of {} came from branch {} of repo {}", release, app.name.str(),
                              quoted(came_from.branch.str()), came_from.repo.str()),
                  fmt::format("go back to that branch first: app set {} --repo {} --branch {}", app.name.str(),
                              came_from.repo.str(), shell_quoted(came_from.branch.str())));
}

std::string manifest_of(const Source& source) {
  if (!source.config.empty()) return source.config;
  return source.path.empty() ? kManifest : source.path + "/" + kManifest;
}

}  // namespace pushrod
