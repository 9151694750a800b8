// pip installs; what other tools wrote is turned into what pip reads, where that is simple, and named where it is not.
#include "build/python_packages.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hh"
#include "build/builders.hh"
#include "config/text_file.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr const char* kRequirements = "requirements.txt";
constexpr const char* kPipfileLock = "Pipfile.lock";
constexpr const char* kProject = "pyproject.toml";
// A command is one argument, which may have 128 KiB.
constexpr std::size_t kLongestList = 64'000;

// True when no line of requirements.txt asks for anything. A symlink is not looked through: pip will.
bool asks_for_nothing(const fs::path& directory) {
  if (!is_plain_file(directory / kRequirements)) return false;
  const auto bytes = read_tree_bytes(directory, kRequirements, std::size_t{1} << 20).value_or("");
  // pip reads UTF-16 with a byte order mark, as Windows PowerShell's "pip freeze >" writes it.
  if (has_utf16_mark(bytes)) return false;
  const auto lines = lines_of(decode_text(bytes, kRequirements));
  return std::all_of(lines.begin(), lines.end(), [](const std::string& line) {
    const std::string_view word = trim(line);
    return word.empty() || word.starts_with('#');
  });
}

// Absent when the lines cannot be written by a command.
std::optional<PythonPackages> listed(const std::string& file, const std::vector<std::string>& lines,
                                     const std::string& option) {
  PythonPackages packages{.file = file,
                          .is_none = lines.empty(),
                          .prepare = "printf '%s\\n'",
                          .install = {},
                          .is_listed = true,
                          .lines = lines};
  for (const std::string& line : lines) {
    if (line.find_first_of(std::string_view{"\0\n\r", 3}) != std::string::npos) return std::nullopt;
    packages.prepare += " " + shell_quoted(line);
  }
  packages.prepare += " > /tmp/requirements.txt\n";
  packages.install = option + "-r /tmp/requirements.txt";
  return packages.prepare.size() > kLongestList ? std::nullopt : std::optional(std::move(packages));
}

std::optional<PythonPackages> packages_of_project(const fs::path& directory) {
  const auto project = read_pyproject(directory);
  if (!project || in_tree(directory, "package.json")) return std::nullopt;
  if (project->dependencies.empty() && !project->computes_dependencies) return std::nullopt;
  if (project->is_package) return PythonPackages{.file = kProject, .prepare = {}, .install = "."};
  return project->dependencies.empty() ? std::nullopt : listed(kProject, project->dependencies, "");
}

struct OtherFile {
  std::string name;
  bool is_lock;        // it matters beside a file that is used, too
  std::string remedy;  // how requirements.txt comes from it
};
const std::vector<OtherFile>& other_files() {
  static const std::vector<OtherFile> kList{
      {kPipfileLock, true, "pipenv requirements > requirements.txt"},
      {"poetry.lock", true, "poetry export -o requirements.txt"},
      {"uv.lock", true, "uv export --no-dev --no-emit-project -o requirements.txt"},
      {"pdm.lock", true, "pdm export --prod -o requirements.txt"},
      {"pylock.toml", true, "write requirements.txt"},
      {"Pipfile", false, "pipenv lock"},
      {"requirements.in", false, "pip-compile requirements.in"},
      {"environment.yml", false, "write what pip is to install into requirements.txt"},
      {"environment.yaml", false, "write what pip is to install into requirements.txt"},
      {"setup.py", false, "write requirements.txt with the line \".\""},
      {"requirements/production.txt", false, "write requirements.txt with the line \"-r requirements/production.txt\""},
      {"requirements/prod.txt", false, "write requirements.txt with the line \"-r requirements/prod.txt\""},
      {"requirements/base.txt", false, "write requirements.txt with the line \"-r requirements/base.txt\""},
  };
  return kList;
}

std::string not_installed(const std::string& file, const std::string& remedy) {
  return fmt::format(
      "{} is there, but the packages that it asks for are not installed; Pushrod installs those of "
      "requirements.txt, Pipfile.lock or pyproject.toml: {}, and commit the result",
      file, remedy);
}

}  // namespace

std::optional<PythonPackages> python_packages(const fs::path& directory) {
  if (in_tree(directory, kRequirements)) {
    return PythonPackages{.file = kRequirements,
                          .is_none = asks_for_nothing(directory),
                          .prepare = {},
                          .install = fmt::format("-r {}", kRequirements)};
  }
  if (const auto lock = read_pipfile_lock(directory); lock && !in_tree(directory, "package.json")) {
    if (auto packages = listed(kPipfileLock, lock->requirements, "--no-deps ")) return packages;
  }
  return packages_of_project(directory);
}

std::vector<std::string> unused_python_files(const fs::path& directory, const std::string& used) {
  std::vector<std::string> lines;
  for (const OtherFile& file : other_files()) {
    if (file.name == used || !in_tree(directory, file.name)) continue;
    if (used.empty()) {
      return {not_installed(file.name, file.remedy)};
    }
    if (!file.is_lock) continue;
    lines.push_back(fmt::format("{} is not used: pip installs what {} says; {}: {}", file.name, used,
                                used == kRequirements ? "to write that from it" : "for the versions that it locks",
                                file.remedy));
  }
  const auto project = used.empty() ? read_pyproject(directory) : std::nullopt;
  if (project && (project->computes_dependencies || !project->dependencies.empty())) {
    lines.push_back(not_installed(kProject, "write requirements.txt"));
  }
  return lines;
}

}  // namespace pushrod
