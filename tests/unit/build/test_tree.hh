// A throw-away directory that looks like an app's tree.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace pushrod {

class TestTree {
 public:
  TestTree() {
    std::string pattern = std::filesystem::temp_directory_path() / "pushrod-build-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  TestTree(const TestTree&) = delete;
  TestTree& operator=(const TestTree&) = delete;
  ~TestTree() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }
  void write(const std::string& name, const std::string& content, bool executable = false) const {
    const std::filesystem::path file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream{file, std::ios::binary} << content;
    std::filesystem::permissions(file, std::filesystem::perms{executable ? 0755U : 0644U});
  }
  void link(const std::string& name, const std::string& target) const {
    std::filesystem::create_symlink(target, path_ / name);
  }

 private:
  std::filesystem::path path_;
};

// What the function throws, as "message | hint".
template <class ErrorType, class Function>
std::string refusal(Function function) {
  try {
    function();
  } catch (const ErrorType& error) {
    return error.message() + " | " + error.hint();
  }
  return "(nothing thrown)";
}

}  // namespace pushrod
