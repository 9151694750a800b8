// A build plan: all that a builder decides, as plain values. A language fills one in (builders.hh); run.cc carries it
// out, and the release keeps what its processes need.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/process.hh"
#include "model/release_mount.hh"

namespace pushrod {

struct BuildStep {
  std::string command;      // shell text, whole lines
  std::string directory{};  // in the sandbox, where it runs: "/app/web"; empty: where the app's commands run
  std::string shown{};      // for people; empty: the first line of the command
};

// A directory of the app's /cache, which outlives builds, and the variable that tells a tool where it is.
struct BuildCache {
  std::string variable;   // "PIP_CACHE_DIR"
  std::string directory;  // "pip": /cache/pip
};

// Packages that are installed once and shared by releases and apps: a layer. It is made in a sandbox that has these
// files and these steps alone, so that its name, a hash of all this, tells everything that it depends on.
struct LayerPlan {
  std::string kind;                          // "node": its name begins with it
  std::string description;                   // "npm ci": shown after "Installing packages"
  std::map<std::string, std::string> files;  // by their path in /app
  std::vector<BuildStep> steps;              // in /app, with an empty /cache; each names its directory
  ReleaseMounts mounts;               // what the release mounts of it: "venv" at /venv; "app/…" was made below /app
  std::string tools;                  // what the machine adds to the result: programs and their versions
  std::vector<BuildStep> then{};      // by the build, when the layer is mounted
  std::vector<BuildStep> in_place{};  // does the same as a part of the build, where there can be no layer
  std::string submodule{};            // it is this submodule of the repo, and no packages; at the URL `description`
  bool is_toolchain = false;          // the layers after it are made with it
};

struct BuildPlan {
  std::string builder;                             // "python", "node", "command", "script", "none"
  std::string language;                            // "Python": what the builder builds, for people; empty: not known
  std::string description;                         // "Python 3.11, pip": shown after "Building"
  std::vector<LayerPlan> layers;                   // mounted before the steps run
  std::vector<BuildStep> steps;                    // in order, in one sandbox with /app and /cache writable
  ReleaseMounts mounts;                            // beside /app, while building and while running
  std::vector<BuildCache> caches;                  // of its tools; their variables are set in the build alone
  std::map<std::string, std::string> environment;  // for the build and for every process: PATH, VIRTUAL_ENV, …
  std::map<std::string, std::string> build_environment;  // for the build alone
  bool has_own_node = false;                             // not the machine's
  ProcessTable default_processes;                        // of types that the app does not name
  std::optional<Process> guessed_web;                    // only if no process is known otherwise
  std::vector<std::string> notices;               // what the author should know: printable lines, with what to do
  std::string usual_command;                      // how such an app is usually run; empty: not known
  std::string likely_command = "python3 app.py";  // an example of one, where that is not known
  std::string looked_for;  // where it looked for a web process, beside the Procfile: "no start script"
  std::string remedy;      // what to do if there is no web process; empty: commit a Procfile
  std::string found{};     // the file by which the builder knows the tree: "uv.lock"; empty: the one that is usual
  bool yields = false;     // the tree is another builder's if that knows it, too
};

inline bool has_nothing_to_build(const BuildPlan& plan) { return plan.steps.empty() && plan.layers.empty(); }

// The steps as one shell script, to be run with `set -e`; empty without steps.
std::string script(const std::vector<BuildStep>& steps);
inline std::string script(const BuildPlan& plan) { return script(plan.steps); }
// The steps in words: "npm run build, make docs".
std::string told(const std::vector<BuildStep>& steps);
// The variables of its caches: "PIP_CACHE_DIR" is "/cache/pip".
std::map<std::string, std::string> cache_variables(const BuildPlan& plan);

}  // namespace pushrod
