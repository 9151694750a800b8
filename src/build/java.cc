// Java: pom.xml → mvn package, or Gradle (gradle.cc); the jar that can be run becomes app.jar. What Maven downloads is
// kept in the app's cache.
#include <fmt/format.h>

#include "base/text.hh"
#include "build/languages.hh"
#include "os/files.hh"

namespace pushrod {

// Spring Boot leaves the jar without its dependencies as *.jar.original, or as *-plain.jar.
std::string link_jar(const std::string& directory) {
  return fmt::format(R"sh(rm -f app.jar
for jar in target/quarkus-app/quarkus-run.jar $(find {} -maxdepth 1 -name '*.jar' ! -name 'original-*' ! -name '*-plain.jar' | sort); do
  [ -f "$jar" ] || continue
  rm -rf /tmp/manifest; mkdir /tmp/manifest
  (jar=$PWD/$jar; cd /tmp/manifest && jar xf "$jar" META-INF/MANIFEST.MF)
  if grep -q '^Main-Class:' /tmp/manifest/META-INF/MANIFEST.MF 2>/dev/null; then ln -s "$jar" app.jar; break; fi
done
)sh",
                     directory);
}

// Spring Boot, Quarkus and Micronaut are told the port in their words; other programs read $PORT.
Process jar_process(const std::string& jar) {
  return Process{.type = ProcessType::parse("web"),
                 .command = fmt::format(
                     "exec java $JAVA_OPTS -Dserver.port=$PORT -Dserver.address=127.0.0.1 -Dquarkus.http.port=$PORT "
                     "-Dmicronaut.server.port=$PORT -jar {}",
                     shell_quoted(jar)),
                 .health = {}};
}

std::optional<BuildPlan> plan_java(const AppTree& tree, const std::string& where, const Host& host) {
  const auto directory = tree.root / where;
  if (!in_tree(directory, "pom.xml")) return plan_gradle(tree, where, host);
  const bool has_wrapper = in_tree(directory, "mvnw") && is_directory(directory / ".mvn/wrapper");
  require_program(host, "javac", "default-jdk-headless");
  if (!has_wrapper) require_program(host, "mvn", "maven");
  BuildPlan plan;
  plan.language = "Java";
  plan.environment["PATH"] = path_variable();
  plan.build_environment["MAVEN_USER_HOME"] = "/cache/maven-wrapper";
  const std::string maven = has_wrapper ? "sh mvnw" : "mvn";
  plan.description = fmt::format("Java, pom.xml, {} package", has_wrapper ? "mvnw" : "mvn");
  const auto build =
      fmt::format("{} -B -ntp -DskipTests -Dmaven.repo.local=/cache/maven package\n{}", maven, link_jar("target"));
  plan.steps = {step_in(tree, where, build)};
  plan.steps.back().shown = has_wrapper ? "mvnw package" : "mvn package";
  plan.guessed_web = jar_process(in_sandbox(where) + "/app.jar");
  return plan;
}

}  // namespace pushrod
