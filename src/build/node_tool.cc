// npm is the machine's. Of the other tools the version is the app's choice, so they come from the registry.
#include "build/node_tool.hh"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.hh"
#include "build/lock_format.hh"
#include "build/modern_yarn.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

struct LockFile {
  std::string name;
  std::string tool;
};
// In the order in which they count where nothing names the tool.
const std::vector<LockFile>& lock_files() {
  static const std::vector<LockFile> kList{
      {"npm-shrinkwrap.json", "npm"}, {"package-lock.json", "npm"}, {"pnpm-lock.yaml", "pnpm"},
      {"yarn.lock", "yarn"},          {"bun.lock", "bun"},          {"bun.lockb", "bun"},
  };
  return kList;
}

bool is_tool(std::string_view name) { return name == "npm" || name == "pnpm" || name == "yarn" || name == "bun"; }

// packageManager: "pnpm@9.0.0+sha512.0a1b".
struct Named {
  std::string tool;
  std::string version;  // "9.0.0"; empty: the text is not a version
};
std::optional<Named> named_tool(const std::string& text) {
  const auto at = text.find('@');
  Named named{text.substr(0, at), at == std::string::npos ? "" : text.substr(at + 1)};
  if (!is_tool(named.tool)) return std::nullopt;
  named.version.erase(std::min(named.version.find('+'), named.version.size()));
  constexpr std::string_view kAllowed = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-";
  const bool is_version = !named.version.empty() && named.version.front() >= '0' && named.version.front() <= '9' &&
                          named.version.find_first_not_of(kAllowed) == std::string::npos;
  if (!is_version) named.version.clear();
  return named;
}

// The newest pnpm that reads the lock file as it is.
std::string pnpm_version(const fs::path& directory) {
  const auto format = number_after(beginning_of(directory, "pnpm-lock.yaml"), "lockfileVersion");
  if (!format || *format >= 9) return "10";
  if (*format >= 6) return "8";
  return *format > 5.35 ? "7" : "6";
}

// Is there a program of the machine's that does not download another one when it is called, as corepack's do?
bool is_on_machine(const Host& host, const std::string& name) {
  for (const fs::path& directory : host.program_directories) {
    std::error_code error;
    const auto target = fs::read_symlink(directory / name, error);
    if (!error && target.string().find("corepack") != std::string::npos) return false;
  }
  return host.has_program(name);
}

// Modern yarn's programs are often committed, and are then the version that counts.
void choose_modern_yarn(const fs::path& directory, const std::string& version, NodeTool& tool) {
  tool.is_modern_yarn = true;
  tool.has_own_cache = is_directory(directory / ".yarn" / "cache");
  const auto path = yarn_path(directory);
  if (!path.empty() && is_plain_file(directory / path)) {
    tool.committed = path;
    return;
  }
  auto wanted = version;
  if (wanted.empty()) wanted = version_of_yarn_path(path);
  if (wanted.empty()) wanted = modern_yarn_version(directory);
  tool.package = "@yarnpkg/cli-dist@" + wanted;
}

// pnpm refuses --config.dangerouslyAllowAllBuilds beside these.
bool says_what_is_built(const fs::path& directory) {
  for (const char* file : {"pnpm-workspace.yaml", "package.json"}) {
    const auto text = read_tree_file(directory, file, std::size_t{1} << 20).value_or("");
    for (const char* setting : {"onlyBuiltDependencies", "neverBuiltDependencies", "allowBuilds"}) {
      if (text.find(setting) != std::string::npos) return true;
    }
  }
  return false;
}

void choose_version(const fs::path& directory, const std::string& version, const Host& host, NodeTool& tool) {
  if (tool.name == "npm") return;
  if (tool.name == "yarn" && (version.empty() ? is_of_modern_yarn(directory) : !version.starts_with("1."))) {
    return choose_modern_yarn(directory, version, tool);
  }
  if (tool.name == "pnpm") tool.says_what_is_built = says_what_is_built(directory);
  if (version.empty() && is_on_machine(host, tool.name)) return;
  if (tool.name == "pnpm") {
    tool.package = "pnpm@" + (version.empty() ? pnpm_version(directory) : version);
  } else {
    tool.package = tool.name + "@" + (version.empty() ? "1" : version);
  }
}

void tell_unused_locks(const fs::path& directory, const NodeTool& tool, const std::string& used, bool is_named,
                       std::vector<std::string>& notices) {
  std::vector<std::string> unused;
  for (const LockFile& lock : lock_files()) {
    if (lock.tool != tool.name && in_tree(directory, lock.name)) unused.push_back(lock.name);
  }
  if (unused.empty()) return;
  const auto others = join(unused, " and ");
  const auto* verb = unused.size() == 1 ? "is" : "are";
  if (used.empty()) {
    notices.push_back(
        fmt::format("{} {} not used: packageManager in package.json names {}, whose lock file is not "
                    "there: run {} install and commit it, or change packageManager",
                    others, verb, tool.name, tool.name));
  } else if (is_named) {
    notices.push_back(fmt::format("{} {} not used: {} is, since packageManager in package.json names {}: remove {}",
                                  others, verb, used, tool.name, others));
  } else {
    notices.push_back(
        fmt::format("{} and {} are both there: {} is used, with {}; remove what you do not use, or name "
                    "the tool in package.json: \"packageManager\": \"NAME@VERSION\"",
                    used, others, used, tool.name));
  }
}

}  // namespace

NodeTool choose_node_tool(const fs::path& directory, const PackageJson& package, const Host& host,
                          std::vector<std::string>& notices) {
  const auto named = named_tool(package.package_manager);
  NodeTool tool;
  if (named) tool.name = named->tool;
  std::string used;
  for (const LockFile& lock : lock_files()) {
    if ((named && lock.tool != tool.name) || !in_tree(directory, lock.name)) continue;
    tool.name = lock.tool;
    used = lock.name;
    break;
  }
  tool.is_locked = !used.empty();
  tool.lock_file = used;
  choose_version(directory, named ? named->version : "", host, tool);
  if (!package.package_manager.empty() && (!named || named->version.empty())) {
    notices.push_back(
        fmt::format("package.json: packageManager {} is not npm, pnpm, yarn or bun with a version, such as "
                    "\"pnpm@10.0.0\": {} is used",
                    quoted(package.package_manager), tool.package.empty() ? tool.name : tool.package));
  }
  tell_unused_locks(directory, tool, used, named.has_value(), notices);
  return tool;
}

bool has_lock_file(const fs::path& directory) {
  return std::any_of(lock_files().begin(), lock_files().end(),
                     [&](const LockFile& lock) { return in_tree(directory, lock.name); });
}

std::string install_tool(const NodeTool& tool, const std::string& directory) {
  if (!tool.committed.empty()) {
    return fmt::format(
        "rm -rf /app/.pushrod; mkdir -p /app/.pushrod/node_modules/.bin\n"
        "printf '#!/bin/sh\\nexec node %s \"$@\"\\n' \"'{0}/{1}'\" > /app/.pushrod/node_modules/.bin/yarn\n"
        "chmod 755 /app/.pushrod/node_modules/.bin/yarn\n",
        directory, tool.committed);
  }
  if (tool.package.empty()) return {};
  // Not in /app, whose .npmrc and workspaces are about the app's packages.
  return fmt::format(
      "tool='/cache/tools/{0}'\n"
      "if [ ! -d \"$tool\" ]; then\n"
      "  rm -rf \"$tool.new\"; mkdir -p \"$tool.new\"\n"
      "  (cd /tmp && npm install --prefix \"$tool.new\" --no-audit --no-fund --loglevel=error '{0}')\n"
      "  mv \"$tool.new\" \"$tool\"\n"
      "fi\n"
      "rm -rf /app/.pushrod; cp -a \"$tool\" /app/.pushrod\n",
      tool.package);
}

std::string install_packages(const NodeTool& tool) {
  const auto either = [&](const char* locked, const char* unlocked) { return tool.is_locked ? locked : unlocked; };
  if (tool.name == "pnpm") {
    // The scripts of packages run unless the app says which, as with npm: the sandbox is what they may do harm in.
    return fmt::format("pnpm install {} --prod=false --store-dir=/cache/pnpm{}\n",
                       either("--frozen-lockfile", "--no-frozen-lockfile"),
                       tool.says_what_is_built ? "" : " --config.dangerouslyAllowAllBuilds=true");
  }
  if (tool.name == "yarn" && tool.is_modern_yarn) {
    return fmt::format("{}YARN_GLOBAL_FOLDER=/cache/yarn yarn install {}\n",
                       tool.has_own_cache ? "" : "YARN_ENABLE_GLOBAL_CACHE=true ",
                       either("--immutable", "--no-immutable"));
  }
  if (tool.name == "yarn") {
    return fmt::format("yarn install {}--production=false --non-interactive --cache-folder=/cache/yarn\n",
                       either("--frozen-lockfile ", ""));
  }
  if (tool.name == "bun") {
    return fmt::format("NODE_ENV=development BUN_INSTALL_CACHE_DIR=/cache/bun bun install{}\n",
                       either(" --frozen-lockfile", ""));
  }
  // With the development dependencies: they are what builds.
  return described_install(tool) + "\n";
}

std::string described_install(const NodeTool& tool) {
  if (tool.name == "npm") return tool.is_locked ? "npm ci" : "npm install";
  return tool.name + " install";
}

std::string run_script(const NodeTool& tool, const std::string& script) {
  if (script == "start" && tool.name != "bun") return tool.name + " start";
  return fmt::format("{} run {}", tool.name, script);
}

std::string told_tool(const NodeTool& tool) {
  if (!tool.committed.empty()) return tool.committed;
  if (tool.is_modern_yarn) return "yarn" + tool.package.substr(tool.package.rfind('@'));
  return tool.package;
}

std::map<std::string, std::string> tool_variables(const NodeTool& tool) {
  if (!tool.is_modern_yarn) return {};
  // Without node_modules, programs that are not started by yarn would not find their packages. The state beside the
  // tool comes with the packages when they are a layer.
  return {{"YARN_NODE_LINKER", "node-modules"},
          {"YARN_GLOBAL_FOLDER", "/tmp/yarn"},
          {"YARN_ENABLE_TELEMETRY", "0"},
          {"YARN_IGNORE_PATH", "1"},
          {"YARN_INSTALL_STATE_PATH", "/app/.pushrod/install-state.gz"}};
}

std::string tool_directory(const NodeTool& tool) { return has_own_tool(tool) ? "/app/.pushrod/node_modules/.bin" : ""; }

}  // namespace pushrod
