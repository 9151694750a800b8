// A throw-away directory, and what a function throws as one text.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.hh"

namespace pushrod {

class ConfigDirectory {
 public:
  ConfigDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "pushrod-config-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ConfigDirectory(const ConfigDirectory&) = delete;
  ConfigDirectory& operator=(const ConfigDirectory&) = delete;
  ~ConfigDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }
  void write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream{path_ / name, std::ios::binary} << content;
  }

 private:
  std::filesystem::path path_;
};

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

}  // namespace pushrod
