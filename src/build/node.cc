// Node.js: package.json → npm ci (or npm install without a lock file), then its build script. Plans only; run.cc
// carries it out. What package.json does not ask for is not run: npm takes 0.4 s to find out that there is nothing to
// do.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "build/builders.hh"

namespace pushrod {

namespace {

using Json = nlohmann::json;

constexpr const char* kPackage = "package.json";
constexpr std::size_t kPackageCap = std::size_t{1} << 20;

// "package.json:3:14" for a byte of the text.
std::string place(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, byte == 0 ? 0 : byte - 1);
  const auto line_start = before.rfind('\n');
  const std::size_t column = line_start == std::string_view::npos ? before.size() : before.size() - line_start - 1;
  return fmt::format("{}:{}:{}", kPackage, std::count(before.begin(), before.end(), '\n') + 1, column + 1);
}

Json parse_package(const std::string& text) {
  try {
    Json package = Json::parse(text);
    if (package.is_object()) return package;
  } catch (const Json::parse_error& error) {
    throw UserError{fmt::format("{}: not valid JSON", place(text, error.byte)), "npm could not read it either"};
  } catch (const Json::exception&) {
    // The one other reason to refuse a text, and without a place.
    throw UserError{fmt::format("{}: a number in it is too large", kPackage), "write a smaller one"};
  }
  throw UserError{fmt::format("{}:1: not a JSON object", kPackage), "npm init -y writes one"};
}

bool has_script(const Json& package, const std::string& name) {
  const auto scripts = package.find("scripts");
  if (scripts == package.end() || !scripts->is_object()) return false;
  const auto script = scripts->find(name);
  return script != scripts->end() && script->is_string() && !script->get_ref<const std::string&>().empty();
}

bool asks_for_install(const Json& package) {
  for (const char* key : {"dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "workspaces",
                          "bundleDependencies", "bundledDependencies"}) {
    if (const auto found = package.find(key); found != package.end() && !found->empty()) return true;
  }
  for (const char* name :
       {"preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"}) {
    if (has_script(package, name)) return true;
  }
  return false;
}

Process web_process() { return Process{.type = ProcessType::parse("web"), .command = "npm start", .health = {}}; }

}  // namespace

std::optional<BuildPlan> plan_node(const fs::path& directory, const Host& host) {
  const auto text = read_tree_file(directory, kPackage, kPackageCap);
  if (!text) return std::nullopt;
  const Json package = parse_package(*text);

  BuildPlan plan;
  plan.builder = "node";
  plan.environment = {{"PATH", path_variable("/app/node_modules/.bin")},
                      {"NODE_ENV", "production"},
                      // `npm start` cannot write below its home, which is the read-only /app.
                      {"npm_config_cache", "/tmp/npm"},
                      {"npm_config_update_notifier", "false"}};

  std::vector<std::string> does;
  // binding.gyp alone makes npm compile, without a script that says so.
  if (asks_for_install(package) || in_tree(directory, "binding.gyp")) {
    const bool locked = in_tree(directory, "package-lock.json") || in_tree(directory, "npm-shrinkwrap.json");
    does.emplace_back(locked ? "npm ci" : "npm install");
    // With the development dependencies: they are what builds.
    plan.command += does.back() + " --include=dev --no-audit --no-fund\n";
  }
  if (has_script(package, "build")) {
    does.emplace_back("npm run build");
    plan.command += does.back() + "\n";
  }
  plan.description = "Node.js, " + (does.empty() ? "no dependencies" : join(does, ", "));
  if (has_script(package, "start")) plan.default_processes.push_back(web_process());

  if (!host.has_program("node")) {
    throw Error{"Node.js is not installed on this machine",
                "its administrator can install it: apt-get install nodejs npm"};
  }
  if (!plan.command.empty() && !host.has_program("npm")) {
    throw Error{"npm is not installed on this machine", "its administrator can install it: apt-get install npm"};
  }
  return plan;
}

}  // namespace pushrod
