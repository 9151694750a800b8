// Yarn 2 and later ("berry"), which is another program than yarn 1, and what of it people commit in .yarn/. Used inside
// build/ only.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace pushrod {

// Does its lock file, or without one its settings, say that the directory is one of modern yarn?
bool is_of_modern_yarn(const std::filesystem::path& directory);

// Which version installs what the lock file says: "4.13". Each refuses lock files in the format of another one.
std::string modern_yarn_version(const std::filesystem::path& directory);

// What yarnPath in .yarnrc.yml names, if it is below .yarn/: ".yarn/releases/yarn-4.9.2.cjs"; empty: nothing, or
// yarn 1.
std::string yarn_path(const std::filesystem::path& directory);
// "4.9.2" of ".yarn/releases/yarn-4.9.2.cjs"; empty: its name does not tell.
std::string version_of_yarn_path(const std::string& path);

// What installing reads below .yarn/ (releases, plugins, patches, and the cache of a "zero-install"), by path. Absent
// if installing reads more of the tree than that and the usual files, or if it is too much to hold in memory.
std::optional<std::map<std::string, std::string>> files_of_modern_yarn(const std::filesystem::path& directory,
                                                                       const std::string& settings);

// Yarn itself, its plugins and archives of packages: what their text looks like says nothing of the app.
bool is_program_of_yarn(const std::string& path);

}  // namespace pushrod
