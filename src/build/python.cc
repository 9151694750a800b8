// Python: requirements.txt, or what stands in its place → a virtualenv at /venv. Plans only; run.cc carries it out.
//
// The virtualenv is made without a pip of its own and filled by the system's, run under the virtualenv's interpreter:
// 0.03 s + 0.3 s, where bootstrapping pip into it takes 2.5 s. Where that pip is missing, or is not made for the
// interpreter that the app asks for, it is bootstrapped after all.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.hh"
#include "base/text.hh"
#include "build/builders.hh"
#include "build/layer.hh"
#include "build/python_packages.hh"
#include "build/python_web.hh"
#include "build/requirements.hh"
#include "build/wanted_versions.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// The layer of the packages, but for its steps. Absent where they depend on more than a few files, or do not say their
// versions.
std::optional<LayerPlan> python_layer(const AppTree& tree, const std::string& where, const PythonPackages& packages,
                                      std::vector<std::string>& notices) {
  LayerPlan layer;
  layer.kind = "python";
  if (packages.is_listed) {
    const bool all = std::all_of(packages.lines.begin(), packages.lines.end(), [](const std::string& line) {
      return line.starts_with('-') ? !line.starts_with("--find-links .") : is_pinned(line);
    });
    return all ? std::optional(layer) : std::nullopt;
  }
  if (packages.file != "requirements.txt") return std::nullopt;
  auto requirements = read_requirements(tree.root, where.empty() ? packages.file : where + "/" + packages.file);
  if (requirements.uses_tree) return std::nullopt;
  layer.files = std::move(requirements.files);
  const auto& unpinned = requirements.unpinned;
  if (unpinned.empty()) return layer;
  notices.push_back(
      fmt::format("{} does not say which version of {} is wanted, so every push installs all packages, in whatever "
                  "versions are the "
                  "newest: write name==version, as pip freeze does",
                  packages.file, escaped(unpinned.front(), 100)));
  return std::nullopt;
}

bool is_minor_version(std::string_view text) {  // "3.11"
  return text.starts_with("3.") && parse_unsigned(text.substr(2)).has_value();
}

// "3.11", "3.11.4", "python-3.11.4" → "3.11"; "3" → "". Throws for what is none of these.
std::string minor_version(const std::string& file, std::string_view text) {
  const std::string_view given = text;
  if (text.starts_with("python-")) text.remove_prefix(7);
  const std::vector<std::string> parts = split(text, '.');
  const bool fine =
      parts.size() <= 3 && parts[0] == "3" &&
      std::all_of(parts.begin(), parts.end(), [](const auto& part) { return parse_unsigned(part).has_value(); });
  if (!fine) {
    throw UserError{fmt::format("{} asks for {}, which is not a version of Python 3", file, quoted(given)),
                    "write a version such as 3.11, or take the file away"};
  }
  return parts.size() == 1 ? std::string{} : parts[0] + "." + parts[1];
}

// The version that the tree asks for, with the file that says so.
struct Wish {
  std::string file;
  std::string version;
};
std::optional<Wish> wished_version_in(const fs::path& directory) {
  std::optional<Wish> wish;
  for (const std::string file : {".python-version", "runtime.txt"}) {
    const auto text = read_tree_file(directory, file, 4096);
    if (!text) continue;
    for (const std::string& line : lines_of(*text)) {
      const std::string_view word = trim(line);
      if (word.empty() || word.starts_with('#')) continue;
      const std::string version = minor_version(file, word);
      if (version.empty()) break;
      if (wish && wish->version != version) {
        throw UserError{fmt::format("{} asks for Python {}, and {} for {}", wish->file, wish->version, file, version),
                        "keep one of the two files"};
      }
      wish = Wish{file, version};
      break;
    }
  }
  return wish;
}

// What is nearest to the app counts.
std::optional<Wish> wished_version(const AppTree& tree) {
  for (const auto& directory : tree.upwards()) {
    if (auto wish = wished_version_in(tree.root / directory)) return wish;
  }
  return std::nullopt;
}

// What `python3` is: Debian makes it a symlink to python3.11.
std::string default_version(const Host& host) {
  for (const fs::path& directory : host.program_directories) {
    std::error_code error;
    const fs::path target = fs::read_symlink(directory / "python3", error);
    if (!error) {
      const std::string name = target.filename().string();
      return name.starts_with("python") && is_minor_version(name.substr(6)) ? name.substr(6) : "3";
    }
    if (fs::exists(directory / "python3", error)) return "3";
  }
  throw Error{"Python is not installed on this machine",
              "its administrator can install it: apt-get install python3 python3-pip python3-venv"};
}

std::vector<std::string> installed_versions(const Host& host) {
  std::vector<std::string> versions;
  for (const fs::path& directory : host.program_directories) {
    for (const std::string& name : list_directory(directory)) {
      if (name.starts_with("python") && is_minor_version(name.substr(6))) versions.push_back(name.substr(6));
    }
  }
  std::sort(versions.begin(), versions.end());
  versions.erase(std::unique(versions.begin(), versions.end()), versions.end());
  return versions;
}

}  // namespace

ReleaseMount venv_mount() { return {.directory = "venv", .path = "/venv"}; }

std::map<std::string, std::string> venv_environment() {
  // Unbuffered, or a log line would come minutes after it was printed.
  return {{"VIRTUAL_ENV", "/venv"}, {"PYTHONUNBUFFERED", "1"}, {"PATH", path_variable("/venv/bin")}};
}

std::string usual_python_command(const fs::path& directory) {
  if (in_tree(directory, "manage.py")) return "python manage.py runserver 127.0.0.1:$PORT --noreload";
  for (const char* name : {"app.py", "main.py", "server.py", "web.py", "run.py", "wsgi.py"}) {
    if (in_tree(directory, name)) return fmt::format("python3 {}", name);
  }
  return {};
}

std::optional<PyProject> read_pyproject(const fs::path& directory) {
  try {
    const auto text = read_tree_file(directory, "pyproject.toml", std::size_t{1} << 20);
    return text ? parse_pyproject(*text) : std::nullopt;
  } catch (const UserError&) {
    return std::nullopt;
  }
}

std::optional<BuildPlan> plan_python(const AppTree& tree, const std::string& where, const Host& host) {
  const auto directory = tree.root / where;
  auto packages = python_packages(directory);
  if (!packages) return std::nullopt;

  const std::string by_default = default_version(host);
  const std::optional<Wish> wish = wished_version(tree);
  const std::string version = wish ? wish->version : by_default;
  const bool is_default = version == by_default;
  if (!is_default && !host.has_program("python" + version)) {
    const std::string installed = join(installed_versions(host), ", ");
    throw UserError{
        fmt::format("{} asks for Python {}; this machine has {}", wish->file, version,
                    installed.empty() ? by_default : installed),
        fmt::format("change or remove {}, or ask the administrator to install python{}", wish->file, version)};
  }

  list_locked(*packages, version);

  BuildPlan plan;
  plan.language = "Python";
  plan.found = packages->file;
  plan.yields = packages->yields;
  plan.mounts = {venv_mount()};
  plan.environment = venv_environment();
  plan.usual_command = usual_python_command(directory);
  const std::string python = is_default ? "python3" : "python" + version;
  plan.notices = unmet_python_versions(directory, host, python);
  for (auto& line : unused_python_files(directory, packages->file)) plan.notices.push_back(std::move(line));
  const std::string from = packages->file == "requirements.txt" ? "" : " from " + packages->file;
  plan_python_web(tree, packages->file, installed_names(tree, where, *packages), plan);
  if (packages->is_none && !packages->installs_itself) {
    plan.description = fmt::format("Python {}, no requirements{}", version, from);
    plan.steps = {{python + " -m venv --without-pip /venv"}};
    return plan;
  }
  plan.description = fmt::format("Python {}, pip{}", version, from);
  const bool system_pip = is_default && fs::exists(host.pip_runner);
  const std::string pip = system_pip ? host.pip_runner.string() : "-m pip";
  const auto install =
      fmt::format("/venv/bin/python {} install --no-input --disable-pip-version-check --progress-bar off {}", pip,
                  packages->install);
  const auto make =
      fmt::format("{} -m venv {}/venv\n{}", python, system_pip ? "--without-pip " : "", packages->prepare);
  auto layer = python_layer(tree, where, *packages, plan.notices);
  if (!layer) plan.steps = {{make}, step_in(tree, where, install)};
  if (packages->installs_itself) {
    // Its programs find the code where it lies; the packages are there.
    const auto itself =
        fmt::format("/venv/bin/python {} install --no-input --disable-pip-version-check -q --no-deps -e .", pip);
    plan.steps.push_back(step_in(tree, where, itself));
    plan.steps.back().shown = "pip install --no-deps -e .";
  }
  if (const auto collect = collect_static_files(tree)) plan.steps.push_back(*collect);
  if (!layer) return plan;
  layer->in_place = {{make}, step_in(tree, where, install)};
  layer->description = plan.description;
  layer->steps = {{make}, {install, in_sandbox(where)}};
  layer->mounts = std::exchange(plan.mounts, {});
  layer->tools = describe_tools(host.program_directories, {python, "python" + version});
  if (system_pip) layer->tools += describe_tools({host.pip_runner.parent_path()}, {host.pip_runner.filename()});
  plan.layers.push_back(*std::move(layer));
  return plan;
}

}  // namespace pushrod
