// What builder.cc and the language builders share; nothing outside build/ includes it.
// Each language is one function: absent when the tree is not of its kind, otherwise the plan. The table in builder.cc
// has a line for each.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "build/builder.hh"
#include "config/pyproject.hh"
#include "model/environment.hh"

namespace pushrod {

// What a sandbox on this machine finds: the same paths lie inside and outside.
struct Host {
  std::vector<std::filesystem::path> program_directories{"/usr/local/bin", "/usr/bin"};   // as on every app's PATH
  std::vector<std::filesystem::path> server_directories{"/usr/local/sbin", "/usr/sbin"};  // in none of these PATHs
  // Runs the system's pip for another interpreter (part of pip ≥ 22.3; from Debian's python3-pip).
  std::filesystem::path pip_runner = "/usr/lib/python3/dist-packages/pip/__pip-runner__.py";

  bool has_program(const std::string& name) const;
  // The path of a program that Debian keeps for administrators, as it does with servers; empty if there is none.
  std::string server(const std::string& name) const;
  // What `name --version` prints; empty if there is no such program, or it fails.
  std::string version_of(const std::string& name) const;
};

// "/app/apps/web/node_modules/.bin:/app/node_modules/.bin": of every directory from the app's to the root.
std::string node_programs(const AppTree& tree);
// A step that runs in this directory of the root.
BuildStep step_in(const AppTree& tree, const std::string& where, std::string command);

// A name in the app's directory, a plain file or a symlink; what a symlink points to is looked at in the sandbox only.
bool in_tree(const std::filesystem::path& directory, const std::string& name);
// The content of a file that must be read outside the sandbox; absent when there is none. Throws UserError for a
// symlink, and for more than `cap` bytes.
std::optional<std::string> read_tree_bytes(const std::filesystem::path& directory, const std::string& name,
                                           std::size_t cap);
// The same for text (config/text_file.hh), which is what nearly all of them are.
std::optional<std::string> read_tree_file(const std::filesystem::path& directory, const std::string& name,
                                          std::size_t cap);

// pyproject.toml; absent when there is none that can be read.
std::optional<PyProject> read_pyproject(const std::filesystem::path& directory);

// Python's virtualenv: beside the tree, so that code and packages do not mix. Its variables for processes.
ReleaseMount venv_mount();
std::map<std::string, std::string> venv_environment();
// Node's, for processes, and those for builds alone: npm's and yarn's ways to say that development dependencies are
// installed although NODE_ENV is production. They are variables, not flags, so that a setting overrides them.
// `directory`: of the lock file.
std::map<std::string, std::string> node_environment();
std::map<std::string, std::string> node_build_environment(const std::filesystem::path& directory);

// NODE_ENV, RAILS_ENV, MIX_ENV and their like, for the languages that the tree has files of; what the plan says already
// stays.
void add_production_defaults(const AppTree& tree, BuildPlan& plan);

// Absent unless the app is a Django project that says where its static files are collected (STATIC_ROOT).
std::optional<BuildStep> collect_static_files(const AppTree& tree);
// Where manage.py is: "" for this directory; or the only one directly below that has it.
std::optional<std::string> django_directory(const std::filesystem::path& directory);

// `where`: the directory of the root that has the language's file: the app's own, or one above it.
std::optional<BuildPlan> plan_python(const AppTree& tree, const std::string& where, const Host& host);
std::optional<BuildPlan> plan_node(const AppTree& tree, const std::string& where, const Host& host);
std::optional<BuildPlan> plan_static(const AppTree& tree, const std::string& where, const Host& host);
// [processes.web] static: nginx serves this directory of the app, whatever the plan has built and would have served.
void serve_static_files(const AppTree& tree, const std::string& directory, const Host& host, BuildPlan& plan);

// The web process of an app that has a package.json and names no process: npm's start script, server.js, or its main
// file. Throws UserError for a package.json that is not JSON.
// `where`: the directory of the root that has it; if it is not the app's own, the app's server.js or index.js goes
// first.
std::optional<Process> guess_node_web(const AppTree& tree, const std::string& where);
// How a Python app in this directory is usually run; empty: it has no file that tells.
std::string usual_python_command(const std::filesystem::path& directory);

// plan_build() on a machine that looks like `host`.
BuildPlan plan_build_on(const AppTree& tree, const AppManifest& manifest, const Host& host);

}  // namespace pushrod
