// Go: go.mod → go build, into bin/. Modules and compiled packages are kept in the app's cache; Go checks both itself,
// the modules against go.sum.
#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"
#include "build/languages.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::size_t kSourceCap = std::size_t{1} << 20;

bool is_program_source(const fs::path& directory, const std::string& name) {
  if (!name.ends_with(".go") || name.ends_with("_test.go") || !is_plain_file(directory / name)) return false;
  for (const std::string& line : lines_of(read_file(directory / name, kSourceCap, /*follow=*/false).value_or(""))) {
    const auto text = trim(line);
    if (text.starts_with("//go:build ignore") || text.starts_with("// +build ignore")) return false;
    if (text.starts_with("package ")) return text == "package main" || text.starts_with("package main ");
  }
  return false;
}

bool is_program(const fs::path& directory) {
  for (const auto& name : list_directory(directory)) {
    if (is_program_source(directory, name)) return true;
  }
  return false;
}

// "shop" of "example.com/team/shop/v2"
std::string module_name(const std::string& go_mod) {
  for (const std::string& line : lines_of(go_mod)) {
    const auto text = trim(line);
    if (!text.starts_with("module ")) continue;
    auto parts = split(std::string(trim(text.substr(7))), '/');
    if (parts.size() > 1 && parts.back().starts_with('v') && parse_unsigned(parts.back().substr(1))) parts.pop_back();
    const auto is_plain = parts.back().find_first_not_of(
                              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == std::string::npos;
    return is_plain && !parts.back().empty() && parts.back().front() != '.' ? parts.back() : "app";
  }
  return "app";
}

std::vector<std::string> programs_in_cmd(const fs::path& directory) {
  std::vector<std::string> names;
  if (!is_directory(directory / "cmd")) return names;
  for (const auto& name : list_directory(directory / "cmd")) {
    if (is_directory(directory / "cmd" / name) && is_program(directory / "cmd" / name)) names.push_back(name);
  }
  return names;
}

// The directories that go.work uses: "use ./api", or lines of a block.
std::vector<std::string> used_by_workspace(const fs::path& root, const std::string& go_work) {
  std::vector<std::string> found;
  bool in_block = false;
  for (const std::string& line : lines_of(go_work)) {
    std::string text(trim(line.substr(0, line.find("//"))));
    if (text == ")") in_block = false;
    if (text.starts_with("use ")) {
      text = std::string(trim(text.substr(4)));
      if (text == "(") in_block = true;
    } else if (!in_block) {
      continue;
    }
    if (text.size() > 1 && text.front() == '"') text = text.substr(1, text.size() - 2);
    if (text.starts_with("./")) text.erase(0, 2);
    if (!text.empty() && text.find("..") == std::string::npos && in_tree(root, text + "/go.mod")) found.push_back(text);
  }
  return found;
}

// The only one, or the one that is called like a server or like the module, or "api".
std::string web_program(const std::vector<std::string>& names, const std::string& module) {
  if (names.size() == 1) return names.front();
  for (const std::string& wanted : {std::string{"web"}, std::string{"server"}, module, std::string{"api"}}) {
    for (const auto& name : names) {
      if (name == wanted) return name;
    }
  }
  return {};
}

}  // namespace

void require_program(const Host& host, const std::string& program, const std::string& package) {
  if (host.has_program(program)) return;
  throw Error{fmt::format("{} is not installed on this machine", program),
              fmt::format("its administrator can install it: apt-get install {}", package)};
}

namespace {

// A workspace without a module of its own: all programs of its modules.
std::optional<BuildPlan> plan_workspace(BuildPlan plan, const fs::path& directory, const std::string& go_work) {
  std::vector<std::string> programs, patterns;
  for (const auto& used : used_by_workspace(directory, go_work)) {
    patterns.push_back(shell_quoted("./" + used + "/..."));
    const auto go_mod = read_tree_file(directory / used, "go.mod", kSourceCap).value_or("");
    if (is_program(directory / used)) programs.push_back(module_name(go_mod));
    for (auto& name : programs_in_cmd(directory / used)) programs.push_back(std::move(name));
  }
  if (patterns.empty()) return std::nullopt;
  plan.found = "go.work";
  const auto build = "mkdir -p bin && go build -o bin/ " + join(patterns, " ");
  plan.steps = {{build}};
  plan.description = "Go, go.work, go build " + join(patterns, " ");
  plan.looked_for = "no program that is the only one of the workspace, or called web or server";
  if (!programs.empty()) plan.usual_command = "bin/" + programs.front();
  if (const auto program = web_program(programs, {}); !program.empty()) {
    plan.guessed_web =
        Process{.type = ProcessType::parse("web"), .command = "bin/" + shell_quoted(program), .health = {}};
  }
  return plan;
}

}  // namespace

std::optional<BuildPlan> plan_go(const AppTree& tree, const std::string& where, const Host& host) {
  const auto go_mod = read_tree_file(tree.root / where, "go.mod", kSourceCap);
  const auto go_work = go_mod ? std::nullopt : read_tree_file(tree.root / where, "go.work", kSourceCap);
  if (!go_mod && !go_work) return std::nullopt;
  require_program(host, "go", "golang-go");
  const auto directory = tree.directory();

  BuildPlan plan;
  plan.language = "Go";
  plan.environment["PATH"] = path_variable();
  plan.build_environment = {{"GOFLAGS", "-modcacherw"}};  // or the cache could not be removed
  // Go uses the C compiler for parts of its own library, if it is told that there is one.
  if (!host.has_program("gcc")) plan.build_environment["CGO_ENABLED"] = "0";
  if (go_work) return plan_workspace(std::move(plan), directory, *go_work);
  const auto module = module_name(*go_mod);
  plan.looked_for = "no program that is the only one in cmd/, or called web, server, api or " + module;
  std::string build = "go build ./...";
  std::string program;
  if (is_program(directory)) {
    program = module;
    build = fmt::format("go build -o bin/{} .", program);
  } else if (const auto names = programs_in_cmd(directory); !names.empty()) {
    program = web_program(names, module);
    build = "mkdir -p bin && go build -o bin/ ./cmd/...";
    plan.usual_command = "bin/" + names.front();
  }
  plan.steps = {{build}};
  plan.description = fmt::format("Go, go.mod, {}", build);
  if (!program.empty()) {
    plan.guessed_web =
        Process{.type = ProcessType::parse("web"), .command = "bin/" + shell_quoted(program), .health = {}};
  }
  return plan;
}

}  // namespace pushrod
