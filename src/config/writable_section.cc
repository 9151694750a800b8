// [app] writable of pushrod.toml, checked as far as that is possible without the app's tree.
// Called by app_manifest.cc. What the paths are in a release is decided by build/writable.cc.
#include "config/writable_section.hh"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/text.hh"

namespace pushrod {

namespace {

constexpr const char* kKey = "writable";
constexpr std::size_t kMostPaths = 100;
constexpr std::size_t kLongestPath = 1000;

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

// "./tmp//cache/" is "tmp/cache".
std::string read_path(const TomlSection& app, const std::string& text) {
  const auto refuse = [&](const std::string& what, const std::string& hint) {
    app.refuse(kKey, fmt::format("{}: {} {}", app.shown(kKey), quoted(text), what), hint);
  };
  if (text.starts_with("/app/")) {
    refuse("is an absolute path", fmt::format("write it relative to /app: {}", quoted(text.substr(5))));
  }
  if (text.starts_with('/')) {
    refuse("is an absolute path",
           "paths are relative to the app's directory; /tmp and $DATA_DIR (/data) are always writable");
  }
  if (text.empty() || text.size() > kLongestPath || has_control_characters(text)) {
    refuse(
        "is not a valid path",
        fmt::format("write a path relative to the app's directory, with 1 to {} characters and no control characters",
                    kLongestPath));
  }
  auto path = std::filesystem::path(text).lexically_normal().native();
  while (path.ends_with('/')) path.pop_back();
  const auto parts = split(text, '/');
  if (std::find(parts.begin(), parts.end(), "..") != parts.end()) {
    refuse("contains \"..\"", "name a path inside the app's directory, without \"..\"");
  }
  return path;
}

}  // namespace

WritablePaths read_writable(TomlSection& app) {
  if (app.is_flag(kKey)) {
    bool all = false;
    app.flag(kKey, all);
    return all ? WritablePaths{"."} : WritablePaths{};
  }
  WritablePaths paths;
  for (const auto& text : app.texts(kKey).value_or(std::vector<std::string>{})) {
    auto path = read_path(app, text);
    if (std::find(paths.begin(), paths.end(), path) != paths.end()) {
      app.refuse(kKey, fmt::format("{} names {} twice", app.shown(kKey), quoted(path)));
    }
    paths.push_back(std::move(path));
  }
  if (paths.size() > kMostPaths) {
    app.refuse(kKey, fmt::format("{} has more than {} paths", app.shown(kKey), kMostPaths),
               "name a directory above them, or all of /app: writable = true");
  }
  if (std::find(paths.begin(), paths.end(), ".") != paths.end()) return {"."};
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace pushrod
