// C and C++: CMakeLists.txt, meson.build, or a Makefile with the target "all". The build system is the app's own; what
// runs is in its Procfile.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hh"
#include "build/languages.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

bool has_sources(const fs::path& directory) {
  const auto is_source = [](const std::string& name) {
    return name.ends_with(".c") || name.ends_with(".cc") || name.ends_with(".cpp") || name.ends_with(".cxx");
  };
  for (const char* place : {"", "src"}) {
    const auto here = directory / place;
    if (is_directory(here) && std::ranges::any_of(list_directory(here), is_source)) return true;
  }
  return false;
}

bool has_target_all(const fs::path& directory) {
  const auto makefile = read_tree_file(directory, "Makefile", std::size_t{1} << 20);
  if (!makefile) return false;
  const auto lines = lines_of(*makefile);
  return std::ranges::any_of(lines, [](const std::string& line) { return line.starts_with("all:"); });
}

}  // namespace

std::optional<BuildPlan> plan_c(const AppTree& tree, const std::string& where, const Host& host) {
  if (where != tree.path) return std::nullopt;
  const auto directory = tree.directory();
  BuildPlan plan;
  plan.language = "C and C++";
  std::string file;
  if (in_tree(directory, "CMakeLists.txt")) {
    file = "CMakeLists.txt";
    require_program(host, "cmake", "cmake");
    plan.steps = {{"cmake -B build -DCMAKE_BUILD_TYPE=Release && cmake --build build --parallel 2"}};
    if (host.has_program("ccache")) {
      plan.build_environment = {{"CMAKE_C_COMPILER_LAUNCHER", "ccache"}, {"CMAKE_CXX_COMPILER_LAUNCHER", "ccache"}};
    }
  } else if (in_tree(directory, "meson.build")) {
    file = "meson.build";
    require_program(host, "meson", "meson");
    plan.steps = {{"meson setup build --buildtype=release && meson compile -C build"}};  // uses ccache by itself
  } else if (has_sources(directory) && has_target_all(directory)) {
    file = "Makefile";
    plan.steps = {{"make all"}};
  } else {
    return std::nullopt;
  }
  require_program(host, "c++", "g++");
  require_program(host, "make", "make");
  plan.build_environment["CCACHE_MAXSIZE"] = "500M";
  plan.environment["PATH"] = path_variable();
  plan.description = fmt::format("C and C++, {}, {}", file, plan.steps.front().command);
  plan.usual_command = file == "Makefile" ? "./app" : "build/app";
  return plan;
}

}  // namespace pushrod
