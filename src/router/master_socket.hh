// The running HAProxy, asked through its master socket, which reaches every worker, also those that a reload left
// behind.
// Floor 3. Used inside router/ only. Each call is one connection and one round trip.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "os/clock.hh"
#include "router/answers.hh"

namespace pushrod {

class MasterSocket {
 public:
  explicit MasterSocket(std::filesystem::path path) : path_(std::move(path)) {}

  // Absent when HAProxy does not run. While it starts or reloads nobody listens for a moment (0.05 s; s6 starts a new
  // one after at most a second): that is waited for. Throws SystemError when it runs and does not answer.
  std::optional<Processes> processes() const;
  std::optional<std::string> ask_current(std::string_view commands) const;

  // Absent when that worker has ended.
  std::optional<std::string> ask(pid_t worker, std::string_view commands) const;

  // Returns at once; the master is away for a moment.
  void reload() const;

 private:
  std::optional<std::string> ask_when_there(std::string_view line) const;
  std::filesystem::path path_;
};

}  // namespace pushrod
