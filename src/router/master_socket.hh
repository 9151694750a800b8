// The running HAProxy, asked through its master socket, which reaches every worker, also those that a reload left
// behind.
// Used inside router/ only. Each attempt is one connection and one round trip; the calls below repeat it while HAProxy
// reloads, except ask_once().
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/clock.hh"
#include "router/answers.hh"

namespace pushrod {

class MasterSocket {
 public:
  // Where HAProxy's files are (files.hh).
  explicit MasterSocket(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // Absent when HAProxy does not run, or has not listened for 20 s. While it reloads, its socket is closed (0.05 s; 2 s
  // when it cannot bind): these wait for that. Throws SystemError when it runs and does not answer.
  std::optional<Processes> processes() const;
  std::optional<std::string> ask_current(std::string_view commands) const;

  // Absent when that worker has ended.
  std::optional<std::string> ask(pid_t worker, std::string_view commands) const;

  // One attempt. The answer is empty when HAProxy has no master, or while that reloads.
  struct Reply {
    bool is_silent = false;  // it took the question and did not answer in time
    std::string answer;
  };
  Reply ask_once(std::string_view line, Milliseconds at_most) const;
  // The master, and after it what it has started. Empty when it does not run.
  std::vector<pid_t> all_processes() const;

  // Returns at once; the master is away for a moment.
  void reload() const;

 private:
  bool is_alive() const;
  std::optional<std::string> ask_until(const std::function<bool(std::string_view)>& is_whole,
                                       std::string_view line) const;
  std::filesystem::path directory_;
};

}  // namespace pushrod
