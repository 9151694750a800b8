// Which file says what packages a Python app needs, and how pip is told. Used inside build/ only.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "build/builders.hh"
#include "config/python_lock.hh"

namespace pushrod {

struct PythonPackages {
  std::string file;                  // "requirements.txt", "pyproject.toml", "Pipfile.lock"
  bool is_none = false;              // it asks for nothing
  std::string prepare;               // shell lines that come before pip
  std::string install;               // what `pip install` is given: "-r requirements.txt"
  bool is_listed = false;            // `prepare` and `install` say all of it, without a file of the tree
  std::vector<std::string> lines{};  // of that list
  bool yields = false;               // it does not count beside another language
  std::optional<PythonLock> lock{};  // list_locked() makes the list of it
  bool installs_itself = false;      // the app defines programs, which are there when it is installed
};

// requirements.txt, or the lock file of uv, Poetry or PDM, or Pipfile.lock, or the dependencies of pyproject.toml: the
// first that is there. Absent when there is none of them that pip could install from. Throws UserError for a lock file
// that cannot be read, or does not fit pyproject.toml.
std::optional<PythonPackages> python_packages(const std::filesystem::path& directory);

// For a Python of this version ("3.11"): one line for each package, with the hashes of the files that fit. Without
// hashes, if one of the packages comes from elsewhere than an index.
void list_locked(PythonPackages& packages, const std::string& version);

// The names, in normal form, of the packages that are installed, as far as the files tell, and with extras:
// "uvicorn[standard]" is "uvicorn" and "uvicorn[standard]".
std::set<std::string> installed_names(const AppTree& tree, const std::string& where, const PythonPackages& packages);

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
