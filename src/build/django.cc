// Django's static files: collected by the build, where the project says where to.
#include <algorithm>
#include <deque>

#include "build/builders.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr unsigned kDeepest = 3;
constexpr std::size_t kMostFiles = 500;
constexpr std::size_t kSettingsCap = std::size_t{1} << 18;

bool is_settings_file(const fs::path& path) {
  return path.extension() == ".py" &&
         (path.filename().native().starts_with("settings") || path.parent_path().filename() == "settings" ||
          path.parent_path().filename() == "config");
}

bool mentions_static_root(const fs::path& file) {
  if (!is_plain_file(file) || fs::file_size(file) > kSettingsCap) return false;
  return read_file(file, kSettingsCap, /*follow=*/false).value_or("").find("STATIC_ROOT") != std::string::npos;
}

struct Place {
  fs::path path;
  unsigned depth;
};

bool has_static_root(const fs::path& directory) {
  std::deque<Place> left{{directory, 0}};
  std::size_t seen = 0;
  while (!left.empty()) {
    const auto [here, depth] = left.front();
    left.pop_front();
    for (const auto& name : list_directory(here)) {
      if (name.starts_with('.') || ++seen > kMostFiles) continue;
      const auto path = here / name;
      if (is_settings_file(path) && mentions_static_root(path)) return true;
      if (depth < kDeepest && is_directory(path)) left.push_back({path, depth + 1});
    }
  }
  return false;
}

}  // namespace

std::optional<std::string> django_directory(const fs::path& directory) {
  if (in_tree(directory, "manage.py")) return "";
  std::optional<std::string> found;
  for (const auto& name : list_directory(directory)) {
    const bool has_project =
        !name.starts_with('.') && is_directory(directory / name) && is_plain_file(directory / name / "manage.py");
    if (!has_project) continue;
    if (found) return std::nullopt;
    found = name;
  }
  return found;
}

std::optional<BuildStep> collect_static_files(const AppTree& tree) {
  const auto project = django_directory(tree.directory());
  if (!project || !has_static_root(tree.directory() / *project)) return std::nullopt;
  const auto command = "if [ -z \"$DISABLE_COLLECTSTATIC\" ]; then python manage.py collectstatic --noinput; fi";
  auto step = project->empty() ? BuildStep{command}
                               : step_in(tree, tree.path.empty() ? *project : tree.path + "/" + *project, command);
  step.shown = "python manage.py collectstatic";
  return step;
}

}  // namespace pushrod
