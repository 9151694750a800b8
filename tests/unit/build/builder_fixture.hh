// What the tests of builders share: a machine, and an app's tree.
#pragma once

#include <string>

#include "base/error.hh"
#include "base/text.hh"
#include "build/builder.hh"
#include "build/builders.hh"
#include "test_tree.hh"

namespace pushrod {

// A machine with python3 = 3.11 and 3.12 beside it, node and npm, and the system's pip.
class BuilderTest : public testing::Test {
 protected:
  BuilderTest() {
    for (const char* program : {"python3.11", "python3.12", "node", "npm"}) programs.write(program, "", true);
    programs.link("python3", "python3.11");
    programs.write("pip-runner.py", "");
    host.program_directories = {programs.path()};
    host.pip_runner = programs.path() / "pip-runner.py";
  }
  BuildPlan plan(const AppManifest& manifest = {}) { return plan_build_on({tree.path(), path}, manifest, host); }
  std::string refused() {
    return refusal<UserError>([&] { plan(); });
  }

  TestTree tree;
  std::string path;  // of the app in the tree, which is the build root
  TestTree programs;
  Host host;
};

}  // namespace pushrod
