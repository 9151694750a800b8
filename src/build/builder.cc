// Chooses the builder: [build] command, .build.sh, a detected language, nothing. First half of the build step; run.cc
// is the second.
#include "build/builder.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "build/advice.hh"
#include "build/builders.hh"
#include "build/buildpack.hh"
#include "build/file_server.hh"
#include "build/languages.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// A tree of a later rank counts only where it has none of an earlier one: many apps also have a page of HTML.
enum class Rank { Language, Native, Files };
constexpr Rank kRanks[] = {Rank::Language, Rank::Native, Rank::Files};

struct Builder {
  std::string name;  // BuildPlan::builder
  std::string file;  // by which it is known, for the message about two of them
  std::optional<BuildPlan> (*plan)(const AppTree& tree, const std::string& where, const Host& host);
  std::vector<BuildCache> caches;
  Rank rank = Rank::Language;
};
const std::vector<Builder>& builders() {
  static const std::vector<Builder> kTable{
      {"python",
       "requirements.txt, uv.lock, poetry.lock, pdm.lock, Pipfile.lock or pyproject.toml",
       plan_python,
       {{"PIP_CACHE_DIR", "pip"}}},
      {"node", "package.json", plan_node, {{"npm_config_cache", "npm"}}},
      {"go", "go.mod or go.work", plan_go, {{"GOMODCACHE", "go-modules"}}},
      {"ruby", "Gemfile", plan_ruby, {}},
      {"php", "composer.json or index.php", plan_php, {}},
      {"rust", "Cargo.toml", plan_rust, {{"CARGO_HOME", "cargo"}}},
      {"java", "pom.xml or build.gradle", plan_java, {}},
      {"clojure", "project.clj", plan_clojure, {}},
      {"elixir", "mix.exs", plan_elixir, {{"MIX_HOME", "mix"}}},
      {"c", "CMakeLists.txt, meson.build or Makefile", plan_c, {}, Rank::Native},
      {"static", "index.html", plan_static, {}, Rank::Files},
  };
  return kTable;
}

constexpr const char* kScript = ".build.sh";

bool is_python_tree(const fs::path& directory) {
  for (const char* name : {"requirements.txt", "pyproject.toml", "Pipfile", "setup.py"}) {
    if (in_tree(directory, name)) return true;
  }
  return false;
}

bool has_python_files(const fs::path& directory) {
  const auto names = list_directory(directory);
  return std::any_of(names.begin(), names.end(), [](const std::string& name) { return name.ends_with(".py"); });
}

// A command may be a whole script; one line of it tells which.
std::string first_line(const std::string& command) {
  const std::string_view all = trim(command);
  const auto end = all.find('\n');
  return end == all.npos ? std::string(all) : fmt::format("{} …", trim(all.substr(0, end)));
}

bool leaves_commands_open(const AppManifest& manifest) {
  return std::all_of(manifest.processes.begin(), manifest.processes.end(),
                     [](const Process& process) { return process.command.empty(); });
}

// For a command of the app's own: it gets what the language it seems to use would have got.
BuildPlan own_command_plan(const AppTree& tree, const AppManifest& manifest, std::string builder, std::string command) {
  const auto directories = tree.upwards();
  BuildPlan plan;
  plan.builder = std::move(builder);
  plan.description = first_line(command);
  plan.steps = {{std::move(command)}};
  for (const Builder& known : builders())
    plan.caches.insert(plan.caches.end(), known.caches.begin(), known.caches.end());
  std::string first;
  if (std::any_of(directories.begin(), directories.end(),
                  [&](const std::string& directory) { return is_python_tree(tree.root / directory); })) {
    plan.mounts.push_back(venv_mount());
    plan.environment = venv_environment();
    first = "/venv/bin";
  } else if (has_python_files(tree.directory())) {
    plan.environment["PYTHONUNBUFFERED"] = "1";
  }
  if (const auto package = tree.nearest({"package.json"})) {
    plan.environment.merge(node_environment());
    plan.build_environment = node_build_environment(tree.root / *package);
    first += (first.empty() ? "" : ":") + node_programs(tree);
    if (leaves_commands_open(manifest)) plan.guessed_web = guess_node_web(tree, *package);
  }
  plan.environment["PATH"] = path_variable(first);
  plan.usual_command = usual_python_command(tree.directory());
  return plan;
}

void check_script(const fs::path& directory) {
  const fs::path script = directory / kScript;
  if (!is_plain_file(script)) {
    throw UserError{fmt::format("{} is not a plain file", kScript), "commit the script itself under that name"};
  }
  struct stat about {};
  if (lstat(script.c_str(), &about) != 0) throw_errno("look at " + script.string());
  if ((about.st_mode & S_IXUSR) == 0) {
    throw UserError{fmt::format("{} is there, but not executable", kScript),
                    fmt::format("git update-index --chmod=+x {}, then commit", kScript)};
  }
}

// "/app/node_modules/.bin" of "/app/node_modules/.bin:/usr/local/bin:/usr/bin:/bin".
std::string own_part(const std::string& path) {
  const auto common = path_variable();
  if (path.size() <= common.size() || !path.ends_with(common)) return {};
  return path.substr(0, path.size() - common.size() - 1);
}

template <class List>
void append(List& list, const List& more) {
  list.insert(list.end(), more.begin(), more.end());
}

// Both, one after the other; the later one serves.
BuildPlan combined(const BuildPlan& first, const BuildPlan& second) {
  auto plan = second;
  plan.builder = first.builder + "+" + second.builder;
  plan.description = first.description + "; " + second.description;
  plan.layers = first.layers;
  append(plan.layers, second.layers);
  plan.steps = first.steps;
  append(plan.steps, second.steps);
  append(plan.mounts, first.mounts);
  append(plan.caches, first.caches);
  append(plan.notices, first.notices);
  const auto own = own_part(first.environment.at("PATH"));
  const auto path = second.environment.at("PATH");
  plan.environment["PATH"] = own.empty() ? path : own + ":" + path;
  plan.environment.insert(first.environment.begin(), first.environment.end());
  plan.build_environment.insert(first.build_environment.begin(), first.build_environment.end());
  return plan;
}

std::optional<BuildPlan> plan_of(const Builder& builder, const AppTree& tree, const std::string& where,
                                 const Host& host) {
  auto plan = builder.plan(tree, where, host);
  if (!plan) return std::nullopt;
  plan->builder = builder.name;
  append(plan->caches, builder.caches);
  return plan;
}

const Builder& builder_named(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& builder : builders()) {
    if (builder.name == name) return builder;
    known.push_back(builder.name);
  }
  throw UserError{fmt::format("[build] builder in pushrod.toml: there is no builder {}", quoted(name)),
                  "known: " + join(known, ", ")};
}

BuildPlan chosen_plan(const AppTree& tree, const std::vector<std::string>& names, const Host& host) {
  std::optional<BuildPlan> all;
  for (const auto& name : names) {
    const Builder& builder = builder_named(name);
    std::optional<BuildPlan> plan;
    for (const auto& where : tree.upwards()) {
      if ((plan = plan_of(builder, tree, where, host))) break;
    }
    if (!plan) {
      throw UserError{
          fmt::format("[build] builder = \"{}\" in pushrod.toml, and there is no {} that says what to install", name,
                      builder.file),
          fmt::format("commit {}, or choose another builder", builder.file)};
    }
    all = all ? combined(*all, *plan) : *std::move(plan);
  }
  return *std::move(all);
}

// Of the language whose files are in this directory of the root.
std::optional<BuildPlan> plan_language(const AppTree& tree, const std::string& where, const Host& host, Rank rank) {
  std::optional<BuildPlan> chosen;
  const Builder* by = nullptr;
  const auto file_of = [](const BuildPlan& plan, const Builder& builder) {
    return plan.found.empty() ? builder.file : plan.found;
  };
  for (const Builder& builder : builders()) {
    if (builder.rank != rank) continue;
    auto plan = plan_of(builder, tree, where, host);
    if (!plan || (plan->yields && chosen)) continue;
    if (chosen && !chosen->yields) {
      throw UserError{
          fmt::format("both {} and {} are there: which language builds the app?", file_of(*chosen, *by),
                      file_of(*plan, builder)),
          fmt::format(
              "say it in pushrod.toml: [build] builder = \"{0}\", or \"{1}\", or for both [\"{1}\", \"{0}\"], of "
              "which the last one serves; or write a [build] command of your own",
              by->name, builder.name)};
    }
    chosen = std::move(plan);
    by = &builder;
  }
  return chosen;
}

// A program, of which a page of HTML in the tree may be a part.
bool runs_something_else(const fs::path& directory) {
  if (has_python_files(directory) || is_python_tree(directory)) return true;
  Situation situation;
  situation.directory = directory;
  situation.names = list_directory(directory);
  return has_program_of_other_language(situation);
}

BuildPlan choose_plan(const AppTree& tree, const AppManifest& manifest, const Host& host) {
  const auto directory = tree.directory();
  if (manifest.build_command) return own_command_plan(tree, manifest, "command", *manifest.build_command);
  if (std::error_code ignored; fs::exists(fs::symlink_status(directory / kScript, ignored))) {
    check_script(directory);
    return own_command_plan(tree, manifest, "script", std::string{"./"} + kScript);
  }
  if (!manifest.builders.empty()) return chosen_plan(tree, manifest.builders, host);
  if (auto plan = plan_buildpacks(tree, manifest, host)) return *std::move(plan);

  for (const Rank rank : kRanks) {
    if (rank == Rank::Files && (!leaves_commands_open(manifest) || runs_something_else(directory))) continue;
    if (rank == Rank::Native && has_python_files(directory)) continue;
    for (const auto& where : tree.upwards()) {
      if (auto plan = plan_language(tree, where, host, rank)) return *std::move(plan);
    }
  }

  BuildPlan none;
  none.builder = "none";
  none.description = "nothing to build";
  none.environment["PATH"] = path_variable();
  if (has_python_files(directory)) none.environment["PYTHONUNBUFFERED"] = "1";
  none.usual_command = usual_python_command(directory);
  return none;
}

// [build] after
void add_last_step(const AppTree& tree, const std::string& command, BuildPlan& plan) {
  plan.description = has_nothing_to_build(plan) ? first_line(command) : plan.description + ", " + first_line(command);
  plan.steps.push_back({command, in_sandbox(tree.path)});
}

}  // namespace

namespace {

// What tools like Vite make is files alone.
void serve_node_site(const AppTree& tree, const AppManifest& manifest, const Host& host, BuildPlan& plan) {
  if (plan.builder != "node" || !manifest.processes.empty()) return;
  if (plan.guessed_web || !plan.default_processes.empty()) return;
  const auto output = output_of_node_site(tree);
  if (output.empty()) return;
  if (!has_file_server(host)) {
    plan.notices.push_back(fmt::format(
        "{}/ is served without a Procfile where nginx is installed: an administrator can run apt-get install "
        "nginx-light",
        output));
    return;
  }
  add_file_server({.root = in_sandbox(tree.path) + "/" + output}, host, plan);
  plan.description += fmt::format("; {}/ is served by nginx", output);
}

}  // namespace

BuildPlan plan_build_on(const AppTree& tree, const AppManifest& manifest, const Host& host) {
  refuse_missing_content(tree, host);
  BuildPlan plan = choose_plan(tree, manifest, host);
  serve_node_site(tree, manifest, host, plan);
  add_production_defaults(tree, plan);
  if (manifest.build_after) add_last_step(tree, *manifest.build_after, plan);
  if (manifest.static_files) serve_static_files(tree, *manifest.static_files, host, plan);
  advise(tree.directory(), manifest, host, plan);
  return plan;
}

BuildPlan plan_build(const AppTree& tree, const AppManifest& manifest) { return plan_build_on(tree, manifest, Host{}); }

namespace {

// The command of a type that the app's files name without one.
std::string default_command(const BuildPlan& plan, const ProcessType& type) {
  for (const auto& process : plan.default_processes) {
    if (process.type == type) return process.command;
  }
  if (plan.guessed_web && plan.guessed_web->type == type) return plan.guessed_web->command;
  throw UserError{fmt::format("[processes.{}] in pushrod.toml has no command, and there is no Procfile", type.str()),
                  "give it there: command = \"…\""};
}

}  // namespace

ProcessTable choose_processes(const BuildPlan& plan, const AppManifest& manifest) {
  auto processes = manifest.processes;
  for (auto& process : processes) {
    if (process.command.empty()) process.command = default_command(plan, process.type);
  }
  for (const auto& process : plan.default_processes) {
    const bool named = std::any_of(processes.begin(), processes.end(),
                                   [&](const Process& other) { return other.type == process.type; });
    if (!named) processes.push_back(process);
  }
  if (processes.empty() && plan.guessed_web) processes.push_back(*plan.guessed_web);
  std::sort(processes.begin(), processes.end(), [](const Process& a, const Process& b) { return a.type < b.type; });
  if (!processes.empty()) return processes;
  throw UserError{
      fmt::format("the app does not say what to run: there is no Procfile, no [processes] in pushrod.toml{}{}",
                  plan.looked_for.empty() ? "" : ", ", plan.looked_for),
      !plan.remedy.empty() ? plan.remedy
                           : fmt::format("commit a Procfile with a line such as \"web: {}\"",
                                         plan.usual_command.empty() ? plan.likely_command : plan.usual_command)};
}

}  // namespace pushrod
