// The shim as a program, and its parts in a process of their own. Used by the tests of shim/ only.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <string>
#include <vector>

#include "../eventually.hh"
#include "../os/command_fixtures.hh"
#include "../os/fixtures.hh"
#include "base/text.hh"
#include "os/command.hh"
#include "os/file_lock.hh"
#include "os/files.hh"

namespace pushrod {

inline std::string shim_program() { return (own_program().parent_path() / "pushrod-shim").native(); }

// The shim's role `run`, without bwrap around it.
inline Command run_role(const std::vector<std::string>& words) {
  Command command;
  command.argv = {shim_program(), "run"};
  command.argv.insert(command.argv.end(), words.begin(), words.end());
  command.environment = {{"+PATH", "/usr/bin:/bin"}};
  return command;
}

// A service directory, in which the shim runs as s6-supervise would run it.
class ServiceDirectory : public InTemporaryDirectory {
 protected:
  // The entries of ./spec: "mode=exec".
  void write_spec(const std::vector<std::string>& entries) const {
    std::string text;
    for (const auto& entry : entries) text += entry + '\0';
    write_file(root_ / "spec", text, 0600);
  }
  Command shim() const {
    Command command;
    command.argv = {shim_program()};
    command.directory = root_;
    return command;
  }
  // The spec of an instance that runs this script in a sandbox: with a namespace of processes, and the files of this
  // machine.
  void write_instance_spec(const std::string& script, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> entries{"mode=sandbox", "lock=lock"};
    for (const std::string word : {"bwrap", "--unshare-user", "--unshare-pid", "--as-pid-1", "--ro-bind", "/", "/",
                                   "--proc", "/proc", "--dev", "/dev", "--"}) {
      entries.push_back("arg=" + word);
    }
    for (const auto& word : {shim_program(), std::string("init"), std::string("inotify=64"), std::string("--"),
                             std::string("/bin/sh"), std::string("-c"), script}) {
      entries.push_back("arg=" + word);
    }
    entries.insert(entries.end(), more.begin(), more.end());
    write_spec(entries);
  }
  std::string backoff() const { return read_file(root_ / "backoff").value_or(""); }
};

// A keeper that runs beside the test, with its log.
class RunningKeeper {
 public:
  explicit RunningKeeper(const Command& command) : log_(make_pipe()) {
    child_.emplace(ChildProcess::start(command, -1, log_.write_end.get(), log_.write_end.get()));
    log_.write_end.reset();
  }
  // Waits until it has printed this.
  bool prints(const std::string& text) {
    while (printed_.find(text) == printed_.npos) {
      if (!read_more()) return false;
    }
    return true;
  }
  // All that it prints until its end.
  std::string all() {
    while (read_more()) {
    }
    return printed_;
  }
  void send(int signal) const { kill(child_->pid(), signal); }
  pid_t pid() const { return child_->pid(); }
  std::string end() { return child_->wait(kPatience).value().describe(); }

 private:
  bool read_more() {
    pollfd event{log_.read_end.get(), POLLIN, 0};
    if (poll(&event, 1, static_cast<int>(kPatience.count())) != 1) return false;
    char chunk[4096];
    const auto got = read(log_.read_end.get(), chunk, sizeof chunk);
    if (got <= 0) return false;
    printed_.append(chunk, static_cast<std::size_t>(got));
    return true;
  }

  Pipe log_;
  std::optional<ChildProcess> child_;
  std::string printed_;
};

}  // namespace pushrod
