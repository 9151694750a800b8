// The builders of languages besides Python and Node.js: one function and one file each, like those in builders.hh.
#pragma once

#include <string>

#include "build/builders.hh"

namespace pushrod {

std::optional<BuildPlan> plan_go(const AppTree& tree, const std::string& where, const Host& host);
std::optional<BuildPlan> plan_ruby(const AppTree& tree, const std::string& where, const Host& host);
std::optional<BuildPlan> plan_php(const AppTree& tree, const std::string& where, const Host& host);
std::optional<BuildPlan> plan_rust(const AppTree& tree, const std::string& where, const Host& host);
std::optional<BuildPlan> plan_java(const AppTree& tree, const std::string& where, const Host& host);
std::optional<BuildPlan> plan_gradle(const AppTree& tree, const std::string& where, const Host& host);
std::optional<BuildPlan> plan_clojure(const AppTree& tree, const std::string& where, const Host& host);
std::optional<BuildPlan> plan_elixir(const AppTree& tree, const std::string& where, const Host& host);
std::optional<BuildPlan> plan_c(const AppTree& tree, const std::string& where, const Host& host);

// Throws UserError for pointers of Git LFS on a machine without it.
void refuse_missing_content(const AppTree& tree, const Host& host);

// The directory that the build of a site without a server writes to: "dist"; empty: package.json tells of no such site.
std::string output_of_node_site(const AppTree& tree);

// java.cc: shell text that makes app.jar a link to the first jar in the directory that can be run, and the web process
// that runs it.
std::string link_jar(const std::string& directory);
Process jar_process(const std::string& jar);

// Throws Error, with the Debian package, where the machine does not have the program.
void require_program(const Host& host, const std::string& program, const std::string& package);

}  // namespace pushrod
