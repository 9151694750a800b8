// Signals as something to read, for a loop that also waits for other things.
// Unlike os/stop_signal.hh it ends: what was before is put back.
#pragma once

#include <csignal>
#include <initializer_list>
#include <optional>

#include "os/unique_fd.hh"

namespace pushrod {

// The signals are blocked for this thread (and so for the process, as long as it has no other) until the destructor.
class SignalReader {
 public:
  explicit SignalReader(std::initializer_list<int> signals);
  SignalReader(const SignalReader&) = delete;
  SignalReader& operator=(const SignalReader&) = delete;
  ~SignalReader();

  int fd() const noexcept { return fd_.get(); }  // readable when one has come
  std::optional<int> next();                     // absent: no more

 private:
  sigset_t before_{};
  UniqueFd fd_;
};

}  // namespace pushrod
