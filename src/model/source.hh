// Which part of a commit an app sees as /app, where its commands run in it, and which file is its manifest.
// Pure.
#pragma once

#include <string>

#include "model/app.hh"

namespace pushrod {

// The directory of the repo that becomes /app: the build root, or the app's own directory if it has none. Empty: the
// root of the repo.
std::string root_of(const Source& source);

// The app's own directory within root_of(): "apps/web"; empty if they are the same.
std::string path_in_root(const Source& source);

// What commands of the app find as their working directory: "/app", "/app/apps/web".
std::string directory_in_sandbox(const Source& source);

// A build root as people write it → the directory of the repo that it names. Relative to the app's path: "..", "../..",
// or "." for none. With `in_repo` also a directory of the repo that contains the path: "apps", or "." for the whole
// repo. Throws UserError when it does not contain the path.
enum class BuildRootForm { RelativeToPath, InRepo };
std::string parse_build_root(const std::string& text, const std::string& path, BuildRootForm form);

// The manifest's file in the repo: "deploy/web.toml". Throws UserError as parse_app_path() does.
std::string parse_config_path(const std::string& text);

// A rollback moves the app's branch, so it must be the one that the release came from. Throws UserError with the way
// back to that branch.
void check_same_branch(const App& app, ReleaseNumber release, const Source& came_from);

// For messages: the file in the repo that is the app's manifest.
std::string manifest_of(const Source& source);

}  // namespace pushrod
