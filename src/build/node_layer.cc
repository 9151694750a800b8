// Decides whether a few files tell all about a Node.js app's packages, and which ones.
#include "build/node_layer.hh"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/error.hh"
#include "base/text.hh"
#include "build/layer.hh"
#include "build/modern_yarn.hh"
#include "build/own_files.hh"
#include "build/own_packages.hh"
#include "build/software.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kLockCap = std::size_t{64} << 20;

// What installing reads of package.json. A change of the rest (scripts, a version) leaves the packages as they are.
constexpr std::array<const char*, 28> kManifestParts{"name",
                                                     "version",
                                                     "private",
                                                     "type",
                                                     "bin",
                                                     "dependencies",
                                                     "devDependencies",
                                                     "optionalDependencies",
                                                     "engines",
                                                     "engineStrict",
                                                     "peerDependencies",
                                                     "peerDependenciesMeta",
                                                     "overrides",
                                                     "resolutions",
                                                     "dependenciesMeta",
                                                     "bundleDependencies",
                                                     "os",
                                                     "cpu",
                                                     "libc",
                                                     "bundledDependencies",
                                                     "devEngines",
                                                     "packageManager",
                                                     "installConfig",
                                                     "trustedDependencies",
                                                     "allowScripts",
                                                     "workspaces",
                                                     "patchedDependencies",
                                                     "pnpm"};

std::string manifest_for_install(const std::string& text) {
  const auto whole = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  Json part = Json::object();
  for (const char* key : kManifestParts) {
    if (whole.is_object() && whole.contains(key)) part[key] = whole[key];
  }
  return part.dump(2);
}

bool mentions(const std::string& text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

// "key": true, in whatever way it is written.
bool has_true(const std::string& text, std::string_view key) {
  const auto quoted_key = "\"" + std::string(key) + "\"";
  for (auto at = text.find(quoted_key); at != std::string::npos; at = text.find(quoted_key, at + 1)) {
    const auto value = text.find_first_not_of(" \t\r\n:", at + quoted_key.size());
    if (value != std::string::npos && text.compare(value, 4, "true") == 0) return true;
  }
  return false;
}

// "patch:left-pad@npm%3A1.3.0#./patches/x.patch", and not "#~/.yarn/patches/…" or one of yarn's own
// ("#optional!builtin").
bool has_patch_elsewhere(const std::string& lock) {
  for (auto at = lock.find("@patch:"); at != std::string::npos; at = lock.find("@patch:", at + 1)) {
    const auto end = std::min(lock.find('\n', at), lock.size());
    const auto rest = lock.substr(at, end - at);
    const auto source = rest.find('#');
    if (source == std::string::npos) continue;
    if (!mentions(rest.substr(source), {"builtin<", "#~/.yarn/patches/", "#.yarn/patches/", "#./.yarn/patches/"}))
      return true;
  }
  return false;
}

// Packages in directories of the app, or patched by files of it, that `own` and patches_of() do not tell of. Modern
// yarn's patches in .yarn/ are among the files that it installs from.
bool uses_own_files(const std::string& manifest, const std::string& lock, bool tells_own, const NodeTool& tool) {
  if (mentions(manifest, {"configDependencies"})) return true;
  if (!tool.is_modern_yarn && (mentions(lock, {"#~/.yarn"}) || mentions(manifest, {"\"patch:"}))) return true;
  if (tool.is_modern_yarn && has_patch_elsewhere(lock)) return true;
  if (tells_own && tool.name == "npm") return false;
  if (has_true(lock, "link")) return true;
  // As a whole word: pnpm writes "excludeLinksFromLockfile:".
  for (const std::string protocol : {"file:", "link:", "portal:"}) {
    if (protocol == "link:" && tells_own && tool.name == "pnpm") continue;
    for (const char* before : {"@", "\"", "'", " "}) {
      if (lock.find(before + protocol) != std::string::npos) return true;
    }
  }
  if (tells_own ? mentions(lock, {"@./", "@../"}) : mentions(manifest, {"\"workspace:", "\"./"})) return true;
  return mentions(manifest, {"\"file:", "\"link:", "\"portal:", "\"../", "\"~/"});
}

// Settings that name a file, or a place that is not the usual one.
bool is_unusual(const std::string& settings) {
  return ("\n" + settings).find("\nprefix") != std::string::npos ||
         mentions(settings, {"file=", "file =", "File:", "script-shell", "modules-dir", "modulesFolder",
                             "virtual-store", "nodeLinker", "yarnPath", "plugins:"});
}

// A workspace of pnpm may also have settings there.
bool is_unusual_for_pnpm(const std::string& settings) {
  return mentions(settings, {"configDependencies", "modulesDir", "irtualStoreDir", "npmfile", "lockfileDir",
                             "haredWorkspaceLockfile", "scriptShell", "cafile", "certfile", "keyfile"});
}

// A cache elsewhere, files of certificates; where packages are linked is decided by Pushrod (tool_variables()).
bool is_unusual_for_modern_yarn(const std::string& settings) {
  return mentions(settings, {"cacheFolder", "FilePath:", "checksumBehavior", "virtualFolder", "lockfileFilename",
                             "globalFolder", "pnpUnpluggedFolder"});
}

bool is_other_than_directory(const fs::path& path) {
  struct stat status = {};
  return lstat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode);
}

// May a package run a program when it is installed, which finds whatever is on the machine?
bool may_run_scripts(const NodeTool& tool, const std::string& lock) {
  return tool.name != "npm" || lock.find("\"packages\"") == std::string::npos || has_true(lock, "hasInstallScript");
}

// What installing reads of a package of the app's own; absent when it compiles it, patches others for it, or links to
// more of it.
std::optional<OwnFiles> files_of_own(const fs::path& root, const std::string& path) {
  if (!is_directory_within(root, path) || in_tree(root / path, "binding.gyp")) return std::nullopt;
  const auto text = read_tree_file(root / path, "package.json", std::size_t{1} << 20);
  if (!text || mentions(*text, {"patchedDependencies"})) return std::nullopt;
  auto files = programs_of(root, path, *text);
  if (files) files->emplace(path + "/package.json", manifest_for_install(*text));
  return files;
}

// Absent when they tell that other files matter. `own`: the app's own packages, if the lock file tells of them.
std::optional<std::map<std::string, std::string>> files_for_install(const fs::path& directory, const NodeTool& tool,
                                                                    const std::optional<OwnPackages>& own) {
  std::map<std::string, std::string> files;
  const auto manifest = read_tree_file(directory, "package.json", std::size_t{1} << 20);
  const auto lock = read_tree_bytes(directory, tool.lock_file, kLockCap);
  // The root of a workspace of pnpm needs none.
  if (!lock || (!manifest && !in_tree(directory, "pnpm-workspace.yaml"))) return std::nullopt;
  const auto root = manifest ? manifest_for_install(*manifest) : std::string{};
  if (manifest) files["package.json"] = root;
  files[tool.lock_file] = *lock;
  const bool tells_own = own && !own->directories.empty();
  if (uses_own_files(root, *lock, tells_own, tool)) return std::nullopt;
  for (const auto& path : own ? own->directories : std::set<std::string>{}) {
    const auto part = files_of_own(directory, path);
    if (!part || uses_own_files(part->at(path + "/package.json"), "", tells_own, tool)) return std::nullopt;
    files.insert(part->begin(), part->end());
  }
  for (const char* name : {".npmrc", ".yarnrc", ".yarnrc.yml", "bunfig.toml"}) {
    const auto settings = read_tree_file(directory, name, std::size_t{1} << 20);
    if (!settings) continue;
    const bool is_of_modern_yarn = tool.is_modern_yarn && std::string_view(name) == ".yarnrc.yml";
    if (is_of_modern_yarn ? is_unusual_for_modern_yarn(*settings) : is_unusual(*settings)) return std::nullopt;
    files[name] = *settings;
  }
  const auto workspace =
      tool.name == "pnpm" ? read_tree_file(directory, "pnpm-workspace.yaml", std::size_t{1} << 20) : std::nullopt;
  if (workspace) {
    if (!own || is_unusual_for_pnpm(*workspace)) return std::nullopt;
    files["pnpm-workspace.yaml"] = *workspace;
  }
  auto patches = patches_of(directory, root, workspace.value_or(""));
  if (!patches) return std::nullopt;
  files.merge(*patches);
  if (!tool.is_modern_yarn) return files;
  auto yarn_files = files_of_modern_yarn(directory, files[".yarnrc.yml"]);
  if (!yarn_files) return std::nullopt;
  files.merge(*yarn_files);
  return files;
}

std::string below(const std::string& where, const std::string& name) {
  return where.empty() ? name : where + "/" + name;
}

// Those that a package has, in the order in which they run.
std::vector<std::string> install_scripts(const PackageJson& package) {
  std::vector<std::string> names{"preinstall", "postinstall"};
  // With it, those before and after it are run.
  if (package.scripts.contains("install")) names = {"install"};
  names.emplace_back("prepublish");
  names.emplace_back("prepare");
  std::erase_if(names, [&](const std::string& name) { return !package.scripts.contains(name); });
  return names;
}

// Of the packages of a workspace. pnpm knows which of them needs another one.
std::vector<BuildStep> scripts_of_own(const AppTree& tree, const std::string& where, const NodeTool& tool,
                                      const std::set<std::string>& directories) {
  std::vector<BuildStep> steps;
  std::set<std::string> of_all;
  for (const auto& path : directories) {
    const auto package = read_package_json(tree.root / where / path);
    for (const auto& name : package ? install_scripts(*package) : std::vector<std::string>{}) {
      if (tool.name == "pnpm" && !of_all.insert(name).second) continue;
      steps.push_back(tool.name == "pnpm" ? step_in(tree, where, "pnpm --recursive run " + name)
                                          : step_in(tree, below(where, path), run_script(tool, name)));
    }
  }
  return steps;
}

// Tools make the programs of packages executable when they link to them, which the layer has done to its copies.
void let_programs_run(const AppTree& tree, const std::string& where, const OwnPackages& own, LayerPlan& layer) {
  std::string names;
  const auto root = tree.root / where;
  for (const auto& path : own.directories) {
    const auto manifest = read_tree_file(root / path, "package.json", std::size_t{1} << 20);
    for (const auto& [file, line] : programs_of(root, path, manifest.value_or("")).value_or(OwnFiles{})) {
      if (access((root / file).c_str(), X_OK) != 0) names += " " + shell_quoted(file);
    }
  }
  if (!names.empty()) layer.then.insert(layer.then.begin(), step_in(tree, where, "chmod +x --" + names));
}

void add_mount(LayerPlan& layer, const std::string& path) {
  layer.mounts.push_back({.directory = "app/" + path, .path = "/app/" + path});
}

}  // namespace

std::optional<LayerPlan> node_layer(const AppTree& tree, const std::string& where, const PackageJson& package,
                                    const NodeTool& tool, const Host& host, bool has_own_node) {
  const auto directory = tree.root / where;
  if (!tool.is_locked) return std::nullopt;
  const auto own =
      own_packages(directory, package, tool, read_tree_bytes(directory, tool.lock_file, kLockCap).value_or(""));
  if (own ? own->uses_tree : !package.workspaces.empty()) return std::nullopt;
  for (const char* name : {".pnpmfile.cjs", "binding.gyp"}) {
    if (in_tree(directory, name)) return std::nullopt;
  }
  if (!tool.is_modern_yarn && (is_directory(directory / ".yarn") || in_tree(directory, ".pnp.cjs")))
    return std::nullopt;
  if (is_other_than_directory(directory / "node_modules")) return std::nullopt;
  const auto files = files_for_install(directory, tool, own);
  if (!files) return std::nullopt;

  LayerPlan layer;
  layer.kind = "node";
  layer.description = described_install(tool);
  for (const auto& [name, content] : *files) layer.files[below(where, name)] = content;
  if (auto command = install_tool(tool, in_sandbox(where)); !command.empty())
    layer.steps.push_back({std::move(command), "/app"});
  layer.steps.push_back({install_packages(tool), in_sandbox(where)});
  // Frameworks write there at run time, where the release lets them (writable.hh).
  std::string directories = "node_modules/.cache";
  add_mount(layer, below(where, "node_modules"));
  for (const auto& modules : own ? own->modules : std::set<std::string>{}) {
    directories += " " + shell_quoted(modules);  // which may be there for another system's packages only
    add_mount(layer, below(where, modules));
  }
  if (own) {
    layer.then = scripts_of_own(tree, where, tool, own->directories);
    let_programs_run(tree, where, *own, layer);
  }
  layer.steps.push_back({"mkdir -p -- " + directories, in_sandbox(where)});
  if (has_own_tool(tool)) layer.mounts.push_back({.directory = "app/.pushrod", .path = "/app/.pushrod"});
  std::vector<std::string> programs;
  if (!has_own_node) programs = {"node", "npm", tool.name};
  layer.tools = describe_tools(host.program_directories, programs);
  if (may_run_scripts(tool, files->at(tool.lock_file))) layer.tools += software_stamp();
  return layer;
}

std::vector<BuildStep> own_install_scripts(const AppTree& tree, const std::string& where, const PackageJson& package,
                                           const NodeTool& tool) {
  std::vector<BuildStep> steps;
  // With one of these, yarn would have programs find packages in a cache that is not there. It removes them itself when
  // it installs into node_modules.
  if (tool.is_modern_yarn && (in_tree(tree.root / where, ".pnp.cjs") || in_tree(tree.root / where, ".pnp.js"))) {
    steps.push_back(step_in(tree, where, "rm -f .pnp.cjs .pnp.js .pnp.loader.mjs\n"));
    steps.back().shown = "node_modules in place of .pnp.cjs";
  }
  for (const auto& name : install_scripts(package)) steps.push_back(step_in(tree, where, run_script(tool, name)));
  return steps;
}

}  // namespace pushrod
