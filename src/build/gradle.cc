// Java and Kotlin with Gradle: build.gradle → gradle installDist for the application plugin, else gradle assemble.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hh"
#include "build/languages.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::size_t kFileCap = std::size_t{1} << 20;

// The start script of the application plugin.
constexpr const char* kFindScript = R"sh(rm -f app.start
for script in build/install/*/bin/*; do
  case $script in *.bat) continue ;; esac
  if [ -x "$script" ]; then ln -s "$script" app.start; break; fi
done
[ -e app.start ] || { echo 'gradle installDist has made no start script in build/install'; exit 1; })sh";

bool has_application_plugin(const std::string& script) {
  constexpr std::array<const char*, 5> kForms{"'application'", "\"application\"", "`application`",
                                              "\n    application\n", "\n  application\n"};
  return std::any_of(kForms.begin(), kForms.end(),
                     [&](const char* form) { return script.find(form) != std::string::npos; });
}

}  // namespace

std::optional<BuildPlan> plan_gradle(const AppTree& tree, const std::string& where, const Host& host) {
  const auto directory = tree.root / where;
  std::string found;
  for (const char* name : {"build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts"}) {
    if (found.empty() && in_tree(directory, name)) found = name;
  }
  if (found.empty()) return std::nullopt;
  const bool has_wrapper = in_tree(directory, "gradlew") && in_tree(directory / "gradle/wrapper", "gradle-wrapper.jar");
  require_program(host, "javac", "default-jdk-headless");
  if (!has_wrapper) require_program(host, "gradle", "gradle");
  const bool is_application = has_application_plugin(read_tree_file(directory, found, kFileCap).value_or(""));
  const auto task =
      fmt::format("{} {}", has_wrapper ? "gradlew" : "gradle", is_application ? "installDist" : "assemble");
  BuildPlan plan;
  plan.language = "Java";
  plan.found = found;
  plan.environment["PATH"] = path_variable();
  plan.build_environment["GRADLE_USER_HOME"] = "/cache/gradle";
  plan.description = fmt::format("Java, {}, {}", found, task);
  plan.steps = {step_in(tree, where,
                        fmt::format("{}{} --no-daemon --console=plain\n{}", has_wrapper ? "sh ./" : "", task,
                                    is_application ? kFindScript : link_jar("build/libs")))};
  plan.steps.back().shown = task;
  if (is_application) {
    plan.guessed_web = Process{.type = ProcessType::parse("web"),
                               .command = "exec " + shell_quoted(in_sandbox(where) + "/app.start"),
                               .health = {}};
  } else {
    plan.guessed_web = jar_process(in_sandbox(where) + "/app.jar");
  }
  return plan;
}

}  // namespace pushrod
