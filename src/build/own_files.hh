// Files of a Node.js app, beside its manifests and its lock file, that tell what installing packages does. Used inside
// build/ only.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace pushrod {

using OwnFiles = std::map<std::string, std::string>;  // content by path

// Without symlinks on the way, and not outside.
bool is_directory_within(const std::filesystem::path& root, const std::string& path);

// The patches that "patchedDependencies" names: in package.json, at its top (bun) or below "pnpm", and in
// pnpm-workspace.yaml. Absent if they cannot be told, or one is not there.
std::optional<OwnFiles> patches_of(const std::filesystem::path& directory, const std::string& manifest,
                                   const std::string& pnpm_workspace);

// Of the package in `path`, with this package.json, the programs that others find in node_modules/.bin, as far as they
// are there: of each its first line, which says what runs it. Absent if they cannot be told.
std::optional<OwnFiles> programs_of(const std::filesystem::path& root, const std::string& path,
                                    const std::string& manifest);

}  // namespace pushrod
