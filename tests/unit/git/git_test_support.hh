// A throw-away directory with a repository in it, and ways to put hostile things into it.
// Used by the tests of git/ only.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hh"
#include "git/git_command.hh"
#include "git/repository.hh"
#include "os/files.hh"

namespace pushrod {

// An entry of a tree object: "100644", "120000", "040000", …
struct TestEntry {
  std::string mode;
  std::string name;
  std::string object;
};

class GitTest : public testing::Test {
 protected:
  GitTest() {
    std::string pattern = (fs::temp_directory_path() / "pushrod-git-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw_errno("make a temporary directory");
    root_ = pattern;
    hooks_ = root_ / "hooks";
    make_directory(hooks_);
    repository_.emplace(Repository::create(root_ / "repo.git", hooks_, settings_));
  }
  ~GitTest() override { remove_tree(root_); }

  // A git as a person would run it, but with a clean environment and a name.
  Command command(std::vector<std::string> arguments, std::string input = {}) const {
    Command git;
    git.argv = {"git"};
    git.argv.insert(git.argv.end(), arguments.begin(), arguments.end());
    git.environment = git_environment();
    for (const char* who : {"AUTHOR", "COMMITTER"}) {
      git.environment[std::string("GIT_") + who + "_NAME"] = "A U Thor";
      git.environment[std::string("GIT_") + who + "_EMAIL"] = "author@example.org";
      git.environment[std::string("GIT_") + who + "_DATE"] = "1700000000 +0000";
    }
    git.directory = root_;
    git.input = std::move(input);
    return git;
  }
  // In the repository; without the newline at the end of its output.
  std::string git(std::vector<std::string> arguments, std::string input = {}) const {
    arguments.insert(arguments.begin(), "--git-dir=" + repo().directory().string());
    std::string out = run_checked(command(std::move(arguments), std::move(input)));
    while (out.ends_with('\n')) out.pop_back();
    return out;
  }

  std::string blob(const std::string& content) const {
    return git({"hash-object", "-w", "-t", "blob", "--stdin"}, content);
  }
  // Exactly these bytes: git's own checks are passed by.
  std::string tree(const std::vector<TestEntry>& entries) const {
    std::string object;
    for (const TestEntry& entry : entries) {
      object += (entry.mode.starts_with('0') ? entry.mode.substr(1) : entry.mode) + ' ' + entry.name + '\0';
      for (std::size_t at = 0; at < entry.object.size(); at += 2) {
        object += static_cast<char>(std::stoi(entry.object.substr(at, 2), nullptr, 16));
      }
    }
    return git({"hash-object", "-w", "-t", "tree", "--literally", "--stdin"}, object);
  }
  CommitId commit(const std::string& tree_id, const std::vector<CommitId>& parents = {},
                  const std::string& message = "a commit") const {
    std::vector<std::string> arguments = {"commit-tree", tree_id, "-m", message};
    for (const CommitId& parent : parents) arguments.insert(arguments.end(), {"-p", parent.str()});
    return CommitId::parse(git(std::move(arguments)));
  }
  // A commit of regular files in the root directory.
  CommitId commit_files(const std::map<std::string, std::string>& files,
                        const std::vector<CommitId>& parents = {}) const {
    std::vector<TestEntry> entries;
    for (const auto& [name, content] : files) entries.push_back({"100644", name, blob(content)});
    return commit(tree(entries), parents);
  }

  const Repository& repo() const { return *repository_; }

  fs::path root_, hooks_;
  Settings settings_;
  std::optional<Repository> repository_;
};

// What the thrown UserError or Error says: message and hint.
template <class Thrown, class Function>
std::string what_is_thrown(Function&& function) {
  try {
    function();
  } catch (const UserError& error) {
    if constexpr (!std::is_same_v<Thrown, UserError>) {
      ADD_FAILURE() << "a UserError: " << error.message();
    }
    return error.message() + " | " + error.hint();
  } catch (const Error& error) {
    if constexpr (std::is_same_v<Thrown, UserError>) {
      ADD_FAILURE() << "not a UserError: " << error.message();
    }
    return error.message() + " | " + error.hint();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

}  // namespace pushrod
