// The release that a commit would become, before it is built.
// Used by the build step, and by a dry run, which stops there.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "build/builder.hh"
#include "deploy/journal.hh"
#include "deploy/platform.hh"

namespace pushrod {

struct PlannedRelease {
  AppManifest manifest;
  BuildPlan plan;
  Release release;
  WritablePaths known_writable;      // what its framework needs; the release gets its own when it is built
  std::vector<std::string> missing;  // settings that the app requires and does not have
};

// `tree`: the commit's files, of which those are needed that tell how the app is built and run. Throws UserError when
// they contradict themselves. The journal gets what the author should know, whether or not that is thrown.
// `settings`: what changes of the app's.
PlannedRelease plan_release(const Platform& platform, const App& app, ReleaseNumber number, const CommitId& commit,
                            const std::filesystem::path& tree, Journal& journal, const SettingChanges& settings = {});

// What a push does about a service that the app's files declare.
struct PlannedService {
  enum class Action { Keep, Attach, Create } action = Action::Keep;
  DeclaredService declared;
  BackingService service;  // Create: as it would be
  bool tcp = false;        // attached over TCP; Keep: as it is
};
// In the order of the file. Throws UserError when one cannot be had: its server is not installed, its name is taken.
std::vector<PlannedService> planned_services(const Platform& platform, const App& app, const AppManifest& manifest);
// "shop-cache (redis-7)": services that the app's files once declared and no longer do.
std::vector<BackingService> undeclared_services(const Platform& platform, const App& app, const AppManifest& manifest);

// Where the code of the app's next release comes from. With the build root that its files choose, unless the operator
// has chosen one.
Source planned_source(const App& app, const AppManifest& manifest);

// Throws UserError when settings are missing.
void check_settings(const PlannedRelease& planned);

}  // namespace pushrod
