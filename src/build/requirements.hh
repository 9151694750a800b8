// What a requirements.txt depends on: the files that it names, and whether it says the version of everything. Used
// inside build/ only.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pushrod {

struct Requirements {
  // By their path in the root: the file itself, those that it includes, and packages in directories that it names.
  std::map<std::string, std::string> files;
  std::vector<std::string> unpinned;  // the requirements that do not say one version: "flask>=3"
  std::vector<std::string> all{};     // every requirement, as far as they were read
  // It asks for more of the tree than files can tell, or for more than is read here: a package in a directory, …
  bool uses_tree = false;
};

// `file`: relative to the root. Symlinks are not followed: what lies behind one counts as the tree.
Requirements read_requirements(const std::filesystem::path& root, const std::string& file);

// Does this requirement ("flask==3.0", "x @ https://…#sha256=…") say one version?
bool is_pinned(std::string_view requirement);

}  // namespace pushrod
