// Which file says what packages a Python app needs, and how pip is told. Used inside build/ only.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pushrod {

struct PythonPackages {
  std::string file;                  // "requirements.txt", "pyproject.toml", "Pipfile.lock"
  bool is_none = false;              // it asks for nothing
  std::string prepare;               // shell lines that come before pip
  std::string install;               // what `pip install` is given: "-r requirements.txt"
  bool is_listed = false;            // `prepare` and `install` say all of it, without a file of the tree
  std::vector<std::string> lines{};  // of that list
};

// requirements.txt; or, without a package.json, Pipfile.lock or the dependencies of pyproject.toml. Absent when
// there is none of them that pip could install from.
std::optional<PythonPackages> python_packages(const std::filesystem::path& directory);

// A line for each file in the directory that lists what a Python app needs and is not used, with what to do. `used`:
// the file that is used; empty: none.
std::vector<std::string> unused_python_files(const std::filesystem::path& directory, const std::string& used);

// What a Pipfile.lock says. Absent for a text that is not one, or that names packages in the app's own directories.
struct PipfileLock {
  std::vector<std::string> requirements;  // lines of a requirements.txt
  std::string python;                     // the version that it asks for; empty: none
};
std::optional<PipfileLock> parse_pipfile_lock(const std::string& text);
std::optional<PipfileLock> read_pipfile_lock(const std::filesystem::path& directory);

}  // namespace pushrod
