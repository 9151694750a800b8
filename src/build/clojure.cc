// Clojure with Leiningen: project.clj → lein uberjar; the jar with all that it needs becomes app.jar.
#include "build/languages.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr const char* kFindJar = R"sh(rm -f app.jar
for jar in target/*-standalone.jar target/*/*-standalone.jar; do
  if [ -f "$jar" ]; then ln -s "$jar" app.jar; break; fi
done
[ -e app.jar ] || { echo 'lein uberjar has made no *-standalone.jar in target'; exit 1; })sh";

}  // namespace

std::optional<BuildPlan> plan_clojure(const AppTree& tree, const std::string& where, const Host& host) {
  if (!in_tree(tree.root / where, "project.clj")) return std::nullopt;
  require_program(host, "lein", "leiningen");
  BuildPlan plan;
  plan.language = "Clojure";
  plan.description = "Clojure, project.clj, lein uberjar";
  plan.environment["PATH"] = path_variable();
  // Maven's repository lies in the home of its user.
  plan.build_environment = {
      {"LEIN_HOME", "/cache/lein"},
      {"LEIN_JVM_OPTS", "-XX:+TieredCompilation -XX:TieredStopAtLevel=1 -Duser.home=/cache/lein"}};
  plan.steps = {step_in(tree, where, std::string("lein uberjar\n") + kFindJar)};
  plan.steps.back().shown = "lein uberjar";
  plan.guessed_web = jar_process(in_sandbox(where) + "/app.jar");
  return plan;
}

}  // namespace pushrod
