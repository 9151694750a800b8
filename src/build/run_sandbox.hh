// What run.cc and make_layer.cc share. Used inside build/ only.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "build/builder.hh"
#include "diagnosis/diagnosis.hh"
#include "sandbox/sandbox.hh"

namespace pushrod {

// Without mounts yet. The command is a shell script, which ends at the first command that fails.
Sandbox sandbox_of(const SandboxJob& job, const std::string& command);

// The build can fetch with the app's deploy key, if the job has one.
void add_deploy_key(Sandbox& sandbox, const SandboxJob& job);

// Throws UserError, with the last lines as evidence, unless the command succeeds. `measured`: directories that count
// for the job's limit of the disk.
void run_in(const Sandbox& sandbox, const SandboxJob& job, Stage stage,
            const std::vector<std::filesystem::path>& measured = {});

}  // namespace pushrod
