// A repository that this test program serves with the real git, and a developer's clone. git runs the program as its
// hooks: main() in hooks_test.cc.
// Used by the tests of git/ only.
#pragma once

#include "git/protocol.hh"
#include "git_test_support.hh"

namespace pushrod {

class HooksTest : public GitTest {
 protected:
  HooksTest() {
    for (const char* hook : {"pre-receive", "proc-receive"}) {
      fs::create_symlink(own_program(), hooks_ / hook);
    }
    run_checked(command({"init", "--quiet", "--initial-branch=main", work_.string()}));
    one_ = commit_work("one");
  }

  std::string in_work(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"-C", work_.string()});
    std::string out = run_checked(command(std::move(arguments)));
    while (out.ends_with('\n')) out.pop_back();
    return out;
  }
  std::optional<CommitId> commit_work(const std::string& content) const {
    write_file(work_ / "file", content);
    in_work({"add", "file"});
    in_work({"commit", "--quiet", "-m", "a change"});
    return CommitId::parse(in_work({"rev-parse", "HEAD"}));
  }
  // What the pusher sees. The connection runs exactly the command that the gate would become.
  CommandResult push(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"-C", work_.string(), "push", "--receive-pack=" + served().string()});
    arguments.insert(arguments.begin() + 4, repo().directory().string());
    Command pushing = command(std::move(arguments));
    pushing.merge_output = true;
    return run(pushing);
  }
  // git runs this with the directory as its argument.
  fs::path served() const {
    const Command service =
        git_service_command(GitService::ReceivePack, repo().directory(), settings_.push_memory, {}, "");
    std::string script = "#!/bin/sh\nexec env -i";
    for (const auto& [name, value] : service.environment) script += " " + shell_quoted(name + "=" + value);
    for (const std::string& word : service.argv) script += " " + shell_quoted(word);
    const fs::path path = root_ / "receive-pack";
    write_file(path, script + "\n", 0700, false);
    return path;
  }
  void refuse(const std::string& ref, const std::string& reason) const {
    write_file(root_ / "refuse", ref + " " + reason + "\n");
  }
  std::string record() const { return read_file(root_ / "record").value_or("(none)"); }
  std::optional<CommitId> head(const std::string& branch) const { return repo().head_of(BranchName::parse(branch)); }
  std::size_t objects() const {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(repo().directory() / "objects")) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }

  fs::path work_ = root_ / "work";
  std::optional<CommitId> one_;
};

}  // namespace pushrod
