// A path that the program could not write to: which directory to make writable, or where to write instead.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/text.hh"
#include "diagnosis/facts.hh"

namespace pushrod {

namespace {

namespace fs = std::filesystem;

bool is_directory_in(const fs::path& code, const fs::path& path) {
  struct stat status = {};
  return !code.empty() && lstat((code / path).c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool is_file_name(const fs::path& name) { return name.has_extension() && !name.stem().empty(); }

// The directory that must be writable so that this path can be written; empty: /app itself. What is there as a
// directory stays as it is, so that as little as possible becomes writable: of ".next/cache/x" it is ".next/cache".
fs::path directory_to_open(const fs::path& code, const fs::path& path) {
  fs::path there;
  for (auto part = path.begin(); part != path.end(); ++part) {
    const bool is_last = std::next(part) == path.end();
    if (is_directory_in(code, there / *part)) {
      there /= *part;
      continue;
    }
    struct stat status = {};
    const bool is_file = !code.empty() && lstat((code / there / *part).c_str(), &status) == 0;
    return is_file || (is_last && is_file_name(*part)) ? there : there / *part;
  }
  return there;
}

}  // namespace

std::optional<std::string> path_in_app(const Facts& facts, std::string path) {
  const auto& directory = facts.failed.directory;
  if (path.starts_with(directory + "/")) path.erase(0, directory.size() + 1);
  if (path.empty() || path.starts_with('/')) return std::nullopt;
  const auto normal = fs::path(path).lexically_normal();
  auto text = normal.native();
  while (text.ends_with('/')) text.pop_back();
  if (text.empty() || text == "." || text == ".." || text.starts_with("../")) return std::nullopt;
  return text;
}

bool is_in_code(const Facts& facts, const std::string& path) {
  const auto inside = path_in_app(facts, path);
  struct stat status = {};
  return inside && !facts.failed.code.empty() && lstat((facts.failed.code / *inside).c_str(), &status) == 0;
}

std::string explain_unwritable(const Facts& facts, const std::string& path) {
  if (facts.builds()) {
    return fmt::format("{} is not writable in a build: write to /app, /cache or /tmp",
                       path.empty() ? "that path" : escaped(path, 200));
  }
  const auto inside = path_in_app(facts, path);
  if (path.empty()) {
    return "/app is read-only at run time: write to /tmp or to $DATA_DIR, or name the directory in pushrod.toml: "
           "[app] writable = [\"DIRECTORY\"]";
  }
  if (const auto& own = facts.failed.directory; !inside && path != own && path != own + "/" && path != ".") {
    return fmt::format(
        "{} is not writable: write to /tmp, which is removed with the instance, or to $DATA_DIR "
        "(/data), which is kept",
        escaped(path, 200));
  }
  const auto directory = inside ? directory_to_open(facts.failed.code, *inside) : fs::path{};
  return fmt::format(
      "/app is read-only at run time: write to /tmp or to $DATA_DIR (/data, which is kept), or add this to "
      "pushrod.toml: [app] writable = {}",
      directory.empty() ? "true" : fmt::format("[{}]", quoted(directory.native())));
}

}  // namespace pushrod
