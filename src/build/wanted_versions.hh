// Versions of Node.js, npm and Python that the files of an app ask for. Used inside build/ only.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "build/builders.hh"

namespace pushrod {

// A line for each version that is asked for and is not the machine's, with the file, both versions and what to do.
// `has_own_node`: not of Node.js and npm themselves, which the app gets as it asks.
std::vector<std::string> unmet_node_versions(const std::filesystem::path& directory, const Host& host,
                                             bool has_own_node = false);
// The first range of versions of Node.js, as npm writes them, that the machine's does not lie in.
struct WantedRange {
  std::string source;  // "package.json: engines.node"
  std::string range;
};
std::optional<WantedRange> unmet_node_range(const std::filesystem::path& directory, const Host& host);
// `program`: the Python that the app gets, such as "python3.12".
std::vector<std::string> unmet_python_versions(const std::filesystem::path& directory, const Host& host,
                                               const std::string& program);

}  // namespace pushrod
