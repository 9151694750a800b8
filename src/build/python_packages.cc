// pip installs; what other tools wrote is turned into what pip reads, where that is simple, and named where it is not.
#include "build/python_packages.hh"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "build/builders.hh"
#include "build/requirements.hh"
#include "config/text_file.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr const char* kRequirements = "requirements.txt";
constexpr const char* kPipfileLock = "Pipfile.lock";
constexpr const char* kUvLock = "uv.lock";
constexpr const char* kPoetryLock = "poetry.lock";
constexpr const char* kPdmLock = "pdm.lock";
constexpr const char* kProject = "pyproject.toml";
constexpr std::size_t kLongestLock = std::size_t{16} << 20;
// A command is one argument, which may have 128 KiB.
constexpr std::size_t kLongestList = 100'000;

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

// False when the lines cannot be written by a command.
bool list(PythonPackages& packages, const std::vector<std::string>& lines, const std::string& option) {
  packages.is_none = lines.empty();
  packages.is_listed = true;
  packages.lines = lines;
  packages.prepare = "printf '%s\\n'";
  for (const std::string& line : lines) {
    if (line.find_first_of(std::string_view{"\0\n\r", 3}) != std::string::npos) return false;
    packages.prepare += " " + shell_quoted(line);
  }
  packages.prepare += " > /tmp/requirements.txt\n";
  packages.install = option + "-r /tmp/requirements.txt";
  return packages.prepare.size() <= kLongestList;
}

std::optional<PythonPackages> listed(const std::string& file, const std::vector<std::string>& lines,
                                     const std::string& option) {
  PythonPackages packages{.file = file, .prepare = {}, .install = {}, .yields = true};
  return list(packages, lines, option) ? std::optional(std::move(packages)) : std::nullopt;
}

std::optional<PythonPackages> packages_of_project(const fs::path& directory) {
  const auto project = read_pyproject(directory);
  if (!project) return std::nullopt;
  if (project->dependencies.empty() && !project->computes_dependencies) return std::nullopt;
  // Only a build of the package knows them; otherwise it is not built, as many apps that say how cannot be: "Multiple
  // top-level packages discovered".
  if (project->computes_dependencies) {
    if (!project->is_package)
      return project->dependencies.empty() ? std::nullopt : listed(kProject, project->dependencies, "");
    return PythonPackages{.file = kProject, .prepare = {}, .install = ".", .yields = true};
  }
  auto packages = listed(kProject, project->dependencies, "");
  if (packages) packages->installs_itself = project->is_package && project->has_programs;
  return packages;
}

struct OtherFile {
  std::string name;
  bool is_lock;        // it matters beside a file that is used, too
  std::string remedy;  // how requirements.txt comes from it
};
const std::vector<OtherFile>& other_files() {
  static const std::vector<OtherFile> kList{
      {kPipfileLock, true, "pipenv requirements > requirements.txt"},
      {kUvLock, true, "uv export --no-dev --no-emit-project -o requirements.txt"},
      {kPoetryLock, true, "poetry export -o requirements.txt"},
      {kPdmLock, true, "pdm export --prod -o requirements.txt"},
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
      "requirements.txt, uv.lock, poetry.lock, pdm.lock, Pipfile.lock or pyproject.toml: {}, and commit the result",
      file, remedy);
}

std::string lock_file_in(const fs::path& directory) {
  for (const char* name : {kUvLock, kPoetryLock, kPdmLock}) {
    if (in_tree(directory, name)) return name;
  }
  return {};
}

// What pyproject.toml asks for, and the lock file does not have.
void check_lock(const std::string& file, const PythonLock& lock, const PyProject& project) {
  std::set<std::string> known(lock.roots.begin(), lock.roots.end());
  if (lock.roots.empty()) {
    for (const auto& package : lock.packages) known.insert(package.name);
  }
  for (const auto& name : project.names) {
    if (name.empty() || known.contains(name) || name == project.own_name) continue;
    const auto tool = file.substr(0, file.find('.'));
    throw UserError{fmt::format("{} does not have {}, which pyproject.toml asks for", file, escaped(name, 100)),
                    fmt::format("run {} lock, and commit {}", tool, file)};
  }
}

PythonLock read_lock(const fs::path& directory, const std::string& file) {
  const auto text = read_tree_file(directory, file, kLongestLock).value_or("");
  if (file == kUvLock) return parse_uv_lock(text);
  if (file == kPdmLock) return parse_pdm_lock(text);
  return parse_poetry_lock(text, read_tree_file(directory, kProject, std::size_t{1} << 20).value_or(""));
}

std::optional<PythonPackages> packages_of_lock(const fs::path& directory) {
  const auto file = lock_file_in(directory);
  if (file.empty()) return std::nullopt;
  PythonPackages packages{.file = file, .prepare = {}, .install = {}};
  packages.lock = read_lock(directory, file);
  packages.is_none = packages.lock->packages.empty();
  if (const auto project = read_pyproject(directory)) {
    check_lock(file, *packages.lock, *project);
    packages.installs_itself = project->is_package && project->has_programs;
  }
  return packages;
}

// "flask-3.0.3-cp311-cp311-manylinux_2_17_x86_64.whl": may it be installed by this Python, on this machine? Everything
// but a wheel may.
bool fits(const std::string& file, const std::string& version, const std::string& machine) {
  if (!file.ends_with(".whl")) return true;
  const auto parts = split(std::string_view(file).substr(0, file.size() - 4), '-');
  if (parts.size() < 5) return true;
  const auto& python = parts[parts.size() - 3];
  const auto& abi = parts[parts.size() - 2];
  const auto& platform = parts.back();
  const bool is_here = platform == "any" || (platform.find("linux") != platform.npos && platform.ends_with(machine));
  if (!is_here) return false;
  if (python.starts_with("py") || abi.find("abi3") != abi.npos || !version.starts_with("3.")) return true;
  const auto tags = split(python, '.');
  return std::find(tags.begin(), tags.end(), "cp3" + version.substr(2)) != tags.end();
}

std::string line_of(const LockedPackage& package, bool with_hashes, const std::string& version,
                    const std::string& machine) {
  const bool is_path = package.place.starts_with('.') || package.place.starts_with('/');
  auto line = package.place.empty() ? package.name + "==" + package.version
              : is_path             ? package.place
                                    : package.name + " @ " + package.place;
  if (!package.marker.empty()) line += " ; " + package.marker;
  if (!with_hashes) return line;
  for (const auto& file : package.files) {
    if (fits(file.name, version, machine)) line += " --hash=" + file.hash;
  }
  return line;
}

std::vector<std::string> index_lines(const PythonLock& lock) {
  std::vector<std::string> lines;
  bool has_address = false;
  for (const auto& index : lock.indexes) {
    if (index.find("://") == index.npos) {
      lines.push_back("--find-links " + index);
    } else {
      lines.push_back((has_address ? "--extra-index-url " : "--index-url ") + index);
      has_address = true;
    }
  }
  if (has_address && lock.uses_pypi) lines.emplace_back("--extra-index-url https://pypi.org/simple");
  return lines;
}

// "uvicorn[standard,watch] >= 0.30": "standard", "watch"
std::vector<std::string> extras_of(const std::string& requirement) {
  const auto open = requirement.find('[');
  const auto close = requirement.find(']');
  if (open == requirement.npos || close == requirement.npos || close < open || open > requirement.find(';')) return {};
  return split(requirement.substr(open + 1, close - open - 1), ',');
}

void add_names(const std::vector<std::string>& requirements, std::set<std::string>& names) {
  for (const auto& requirement : requirements) {
    const auto name = python_requirement_name(requirement);
    if (name.empty()) continue;
    names.insert(name);
    for (const auto& extra : extras_of(requirement)) names.insert(fmt::format("{}[{}]", name, trim(extra)));
  }
}

}  // namespace

std::optional<PythonPackages> python_packages(const fs::path& directory) {
  if (in_tree(directory, kRequirements)) {
    return PythonPackages{.file = kRequirements,
                          .is_none = asks_for_nothing(directory),
                          .prepare = {},
                          .install = fmt::format("-r {}", kRequirements)};
  }
  if (auto packages = packages_of_lock(directory)) return packages;
  if (const auto lock = read_pipfile_lock(directory)) {
    if (auto packages = listed(kPipfileLock, lock->requirements, "--no-deps ")) return packages;
  }
  return packages_of_project(directory);
}

void list_locked(PythonPackages& packages, const std::string& version) {
  if (!packages.lock) return;
  const auto& all = packages.lock->packages;
  const bool with_hashes = std::all_of(all.begin(), all.end(), [](const LockedPackage& package) {
    return package.place.empty() && !package.files.empty();
  });
  utsname machine{};
  uname(&machine);
  std::vector<std::string> lines;
  for (const auto& package : all) lines.push_back(line_of(package, with_hashes, version, machine.machine));
  if (!lines.empty()) {
    for (auto& line : index_lines(*packages.lock)) lines.push_back(std::move(line));
  }
  if (!list(packages, lines, "--no-deps ")) {
    throw UserError{fmt::format("{} has too many packages, or one with a line break in its name", packages.file),
                    "write requirements.txt from it, and commit that"};
  }
}

std::set<std::string> installed_names(const AppTree& tree, const std::string& where, const PythonPackages& packages) {
  std::set<std::string> names;
  if (packages.file == kRequirements) {
    const auto read = read_requirements(tree.root, where.empty() ? packages.file : where + "/" + packages.file);
    add_names(read.all, names);
    if (!read.uses_tree) return names;
  }
  for (const auto& package : packages.lock ? packages.lock->packages : std::vector<LockedPackage>{}) {
    names.insert(package.name);
  }
  add_names(packages.lines, names);
  if (packages.lock) return names;
  if (const auto project = read_pyproject(tree.root / where)) {
    add_names(project->dependencies, names);
    names.insert(project->names.begin(), project->names.end());
  }
  return names;
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
