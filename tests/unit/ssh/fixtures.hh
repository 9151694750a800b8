// A throw-away directory, what a function throws as one text, and keys made by the real ssh-keygen.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.hh"
#include "os/command.hh"

namespace pushrod {

class SshDirectory {
 public:
  SshDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "pushrod-ssh-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  SshDirectory(const SshDirectory&) = delete;
  SshDirectory& operator=(const SshDirectory&) = delete;
  ~SshDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string content_of(const std::filesystem::path& file) {
  std::ostringstream content;
  content << std::ifstream{file, std::ios::binary}.rdbuf();
  return content.str();
}

// The message of the UserError that the function throws, and its hint after " | " if it has one.
template <class Function>
std::string refusal(Function function) {
  try {
    function();
  } catch (const UserError& error) {
    return error.hint().empty() ? error.message() : error.message() + " | " + error.hint();
  }
  return "(nothing thrown)";
}

// Makes a key without passphrase at path, and path.pub.
inline void make_key(const std::filesystem::path& path, const std::vector<std::string>& options) {
  Command keygen;
  keygen.argv = {"ssh-keygen", "-q", "-N", "", "-C", "somebody@somewhere", "-f", path.native()};
  keygen.argv.insert(keygen.argv.end(), options.begin(), options.end());
  run_checked(keygen);
}

}  // namespace pushrod
