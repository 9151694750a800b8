// Layers: what a LayerPlan is called, what it sees, and how it is made. deploy/layers.hh decides when.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "build/builder.hh"
#include "build/plan.hh"

namespace pushrod {

// The path of a mount, relative to /app; absent for one that lies elsewhere.
std::optional<std::string> below_app(const ReleaseMount& mount);

// Of an app's settings, those that a layer sees: those that its files name ("${NPM_TOKEN}"), and those by which package
// managers and the install scripts of well-known packages are told something (npm_config_registry, PIP_INDEX_URL,
// SENTRYCLI_…). It is made without the others, so it cannot depend on them.
Environment layer_settings(const LayerPlan& plan, const Environment& settings);

// Does one of these settings or of the server's variables name a file of the app, as PIP_FIND_LINKS=/app/wheels does? A
// layer is made without those.
bool names_files_of_app(const Environment& variables);

// "node-6f0c…": the same for two plans if a layer of one may be used for the other. `environment`: all that its steps
// get.
std::string layer_name(const LayerPlan& plan, const Environment& environment);

// What this machine adds to what these programs make: its processor, its system, and the programs, as their files tell.
std::string describe_tools(const std::vector<std::filesystem::path>& program_directories,
                           const std::vector<std::string>& programs);

// Runs the steps of the plan, with the job's mounts, which are layers, and leaves the layer's directories in
// `directory`, which must exist. Throws as run_build() does.
void make_layer(const LayerPlan& plan, const SandboxJob& job, const std::filesystem::path& directory);

}  // namespace pushrod
