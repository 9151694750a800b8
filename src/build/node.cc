// Node.js: package.json → npm ci (or npm install without a lock file, or another tool), then its build script. Plans
// only; run.cc carries it out. What package.json does not ask for is not run: npm takes 0.4 s to find out that there is
// nothing to do.
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.hh"
#include "base/text.hh"
#include "build/builders.hh"
#include "build/file_server.hh"
#include "build/languages.hh"
#include "build/modern_yarn.hh"
#include "build/node_layer.hh"
#include "build/node_runtime.hh"
#include "build/node_tool.hh"
#include "build/node_web.hh"
#include "build/nx.hh"
#include "build/own_packages.hh"
#include "build/package_json.hh"
#include "build/prisma.hh"
#include "build/workspace.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLockCap = std::size_t{64} << 20;

// What a person would write into a Procfile, for a site of files alone; empty for anything else.
std::string usual_command(const AppTree& tree, const PackageJson& package) {
  const auto output = output_of_site(tree.directory(), package);
  if (output.empty()) return {};
  return "python3 -m http.server $PORT --bind 127.0.0.1 --directory " + output;
}

std::string told_missing_lock(const NodeTool& tool) {
  const std::string file = tool.name == "npm" ? "package-lock.json" : "its lock file";
  return fmt::format(
      "there is no lock file, so every push installs all packages, in whatever versions are the newest: run {} install "
      "and commit {}",
      tool.name, file);
}

// The start script is for development, and something else runs.
std::string told_other_start(const PackageJson& package, const BuildPlan& plan) {
  std::string instead = "the files that the build makes are served";
  if (!plan.default_processes.empty()) instead = fmt::format("web runs \"{}\"", plan.default_processes[0].command);
  if (plan.guessed_web) instead = fmt::format("web runs \"{}\"", escaped(plan.guessed_web->command, 200));
  return fmt::format(
      "the start script of package.json ({}) is a server for development: {}; commit a Procfile with \"web: npm "
      "start\" if "
      "that is wrong",
      quoted(package.scripts.at("start"), 80), instead);
}

// The headers for what packages compile; empty: node-gyp would fetch them from nodejs.org. Debian's are in libnode-dev.
std::string directory_with_headers(const Host& host) {
  for (const auto& programs : host.program_directories) {
    if (access((programs / "node").c_str(), X_OK) != 0) continue;
    const auto directory = programs.parent_path();
    return is_plain_file(directory / "include" / "node" / "common.gypi") ? directory.native() : std::string{};
  }
  return {};
}

bool has_packages_layer(const BuildPlan& plan) { return !plan.layers.empty() && !plan.layers.back().is_toolchain; }

Process web_process(std::string command) {
  return Process{.type = ProcessType::parse("web"), .command = std::move(command), .health = {}};
}

struct Work {
  bool installs;
  std::string build;  // the command; empty: there is nothing to build
  bool starts;
};
// What the plan does with this package; returns it in words. Packages are installed in the directory `install` of the
// root.
std::vector<std::string> add_steps(const AppTree& tree, const std::string& install, const PackageJson& package,
                                   const NodeTool& tool, const Host& host, const Work& work, BuildPlan& plan) {
  std::vector<std::string> does;
  auto layer = work.installs ? node_layer(tree, install, package, tool, host, plan.has_own_node) : std::nullopt;
  if (work.installs || !work.build.empty() || work.starts) {
    auto command = install_tool(tool, in_sandbox(install));
    if (!command.empty() && !layer) plan.steps.push_back({std::move(command), {}, told_tool(tool)});
    plan.environment.merge(tool_variables(tool));
  }
  if (work.installs) {
    does.push_back(described_install(tool));
    if (install != tree.path) does.back() += " in " + in_sandbox(install);
  }
  if (layer) {
    layer->description = does.back();
    for (auto& step : own_install_scripts(tree, install, package, tool)) layer->then.push_back(std::move(step));
    if (auto command = install_tool(tool, in_sandbox(install)); !command.empty())
      layer->in_place.push_back({std::move(command), {}, told_tool(tool)});
    layer->in_place.push_back(step_in(tree, install, install_packages(tool)));
    layer->in_place.back().shown = does.back();
    plan.layers.push_back(*std::move(layer));
  } else if (work.installs) {
    plan.steps.push_back(step_in(tree, install, install_packages(tool)));
    plan.steps.back().shown = does.back();
  }
  if (!work.build.empty()) {
    does.push_back(work.build);
    plan.steps.push_back({does.back()});
  }
  return does;
}

void set_build_environment(const fs::path& install, const PackageJson& package, const NodeTool& tool, const Host& host,
                           BuildPlan& plan) {
  plan.build_environment = node_build_environment(install);
  if (tool.is_modern_yarn) plan.build_environment.erase("YARN_PRODUCTION");
  // npm 12 leaves the install scripts of packages out unless package.json allows them, which npm 11 and earlier did not
  // write there. The sandbox is what they may do harm in.
  if (!package.allows_scripts) plan.build_environment["npm_config_dangerously_allow_all_scripts"] = "true";
  const auto headers = directory_with_headers(host);
  if (plan.has_own_node) {
    plan.build_environment.merge(node_runtime_build_environment());
  } else if (!headers.empty()) {
    plan.build_environment["npm_config_nodedir"] = headers;
  }
}

// A workspace whose root runs nothing: which of its packages do; empty: none.
std::string told_workspace(const fs::path& directory, const PackageJson& package, const NodeTool& tool) {
  const auto own = tool.name == "pnpm"
                       ? packages_in_pnpm_lock(read_tree_file(directory, tool.lock_file, kLockCap).value_or(""))
                       : packages_of_workspaces(directory, package.workspaces);
  std::vector<std::string> starting;
  for (const auto& path : own ? own->directories : std::set<std::string>{}) {
    const auto member = is_directory(directory / path) ? read_package_json(directory / path) : std::nullopt;
    const bool runs = member && (member->scripts.contains("start") || !program_of_dev_script(*member).empty() ||
                                 !framework_server(directory / path, *member).empty());
    if (runs) starting.push_back(shell_quoted(path));
  }
  if (starting.empty()) return {};
  return fmt::format("it is a workspace, so say which package runs ({}): app set APP --path {} --build-root .",
                     join(starting, ", "), starting.front());
}

}  // namespace

std::optional<Process> guess_node_web(const AppTree& tree, const std::string& where) {
  const auto package = read_package_json(tree.root / where);
  if (!package) return std::nullopt;
  const auto directory = tree.directory();
  if (where != tree.path) {
    if (auto command = command_without_start_script(directory, {}); !command.empty()) {
      return web_process(std::move(command));
    }
    if (package->scripts.contains("start")) return web_process("npm start");
    auto command = command_of_usual_file(directory);
    return command.empty() ? std::nullopt : std::optional(web_process(std::move(command)));
  }
  const auto script = script_that_starts(directory, *package);
  if (!script.empty()) return web_process(run_script({}, script));
  auto command = framework_server(directory, *package);
  if (command.empty()) command = command_without_start_script(directory, *package);
  if (command.empty() && output_of_site(directory, *package).empty()) {
    command = program_of_dev_script(*package);
    // npm init writes "index.js", whatever there is.
    const bool names_file = !package->main.empty() && package->main != "index.js";
    if (command.empty() && !names_file) command = command_of_usual_file(directory);
  }
  if (command.empty()) return std::nullopt;
  return web_process(std::move(command));
}

std::string output_of_node_site(const AppTree& tree) {
  const auto package = read_package_json(tree.directory());
  return package ? output_of_site(tree.directory(), *package) : std::string{};
}

std::map<std::string, std::string> node_environment() {
  return {{"NODE_ENV", "production"}, {"npm_config_update_notifier", "false"}};
}

std::map<std::string, std::string> node_build_environment(const fs::path& directory) {
  // With the development dependencies: they are what builds. What packages compile is seen, or it would count as
  // silence, and a failure would come without its reason. The app's own packages are links, as the lock file says; npm
  // 9 copies them on Debian 13, and their files are not there yet when a layer is made.
  std::map<std::string, std::string> variables{{"npm_config_include", "dev"},
                                               {"npm_config_install_links", "false"},
                                               {"npm_config_foreground_scripts", "true"},
                                               {"npm_config_audit", "false"},
                                               {"npm_config_fund", "false"}};
  // Modern yarn refuses variables that are not settings of its own.
  if (!is_of_modern_yarn(directory)) variables["YARN_PRODUCTION"] = "false";
  return variables;
}

std::optional<BuildPlan> plan_node(const AppTree& tree, const std::string& where, const Host& host) {
  const auto directory = tree.root / where;
  const auto package = read_package_json(directory);
  if (!package) return std::nullopt;

  BuildPlan plan;
  plan.language = "Node.js";
  plan.looked_for = "no start script, server.js or main in package.json";
  plan.environment = node_environment();

  // binding.gyp alone makes npm compile, without a script that says so.
  const auto install = install_directory(tree, where);
  const bool installs = install != where || package->asks_for_install || in_tree(directory, "binding.gyp") ||
                        in_tree(directory, "pnpm-workspace.yaml");
  const bool builds = package->scripts.contains("build");
  auto script = where == tree.path ? script_that_starts(directory, *package) : std::string{};
  // Without a server of files, the development server has to do.
  if (script.empty() && is_served_as_files(directory, *package) && !has_file_server(host)) script = "start";
  const bool starts = where == tree.path && package->scripts.contains(script);
  const auto workspace = install == where ? package : read_package_json(tree.root / install);
  const NodeTool tool = choose_node_tool(tree.root / install, workspace.value_or(*package), host, plan.notices);
  auto runtime = node_runtime(tree, where, install, workspace.value_or(*package).package_manager, host);
  plan.has_own_node = runtime.has_value();
  if (runtime) plan.layers.push_back(*std::move(runtime));
  set_build_environment(tree.root / install, workspace.value_or(*package), tool, host, plan);
  const auto nx = where == tree.path ? nx_app(directory, *package) : std::nullopt;
  const Work work{installs, builds ? run_script(tool, "build") : nx ? nx->build : std::string{}, starts};
  const auto does = add_steps(tree, install, workspace.value_or(*package), tool, host, work, plan);
  if (auto generate = generate_prisma_client(tree, where, *package); generate && has_packages_layer(plan)) {
    auto& then = plan.layers.back().then;
    then.insert(then.begin(), *std::move(generate));
  }
  if (installs && !tool.is_locked && !package->dependencies.empty()) plan.notices.push_back(told_missing_lock(tool));
  auto programs = node_programs(tree);
  if (const auto own = tool_directory(tool); !own.empty()) programs += ":" + own;
  if (plan.has_own_node) programs.append(":").append(kNodeRuntimePrograms);
  plan.environment["PATH"] = path_variable(programs);
  plan.description = "Node.js, " + (told_tool(tool).empty() ? "" : told_tool(tool) + ", ") +
                     (does.empty() ? "no dependencies" : join(does, ", "));
  plan.usual_command = usual_command(tree, *package);
  plan.likely_command = "node server.js";
  if (starts) {
    plan.default_processes.push_back(web_process(run_script(tool, script)));
  } else {
    plan.guessed_web = nx ? web_process(nx->command) : guess_node_web(tree, where);
  }
  if (where == tree.path && plan.default_processes.empty() && !plan.guessed_web) {
    plan.remedy = told_other_host(directory, *package);
    if (plan.remedy.empty()) plan.remedy = told_workspace(directory, *package, tool);
  }
  if (nx) plan.build_environment["NX_DAEMON"] = "false";
  if (where == tree.path) {
    if (auto told = told_framework(directory, *package); !told.empty()) plan.notices.push_back(std::move(told));
    if (script != "start" && package->scripts.contains("start"))
      plan.notices.push_back(told_other_start(*package, plan));
    plan.build_environment.merge(framework_build_environment(*package));
  }

  if (!host.has_program("node")) {
    throw Error{"Node.js is not installed on this machine",
                "its administrator can install it: apt-get install nodejs npm"};
  }
  if (!has_nothing_to_build(plan) && !host.has_program("npm")) {
    throw Error{"npm is not installed on this machine", "its administrator can install it: apt-get install npm"};
  }
  return plan;
}

}  // namespace pushrod
