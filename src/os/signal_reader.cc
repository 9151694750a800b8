// Signals through a signalfd.
#include "os/signal_reader.hh"

#include <sys/signalfd.h>
#include <unistd.h>

#include "base/error.hh"

namespace pushrod {

SignalReader::SignalReader(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : signals) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, &before_);
  fd_ = UniqueFd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_) throw_errno("make a signal descriptor");
}

SignalReader::~SignalReader() {
  // What came and was not read is used up: its default action would end us in the middle of the rest.
  while (next()) {
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> SignalReader::next() {
  signalfd_siginfo event{};
  if (read(fd_.get(), &event, sizeof event) != sizeof event) return std::nullopt;
  return static_cast<int>(event.ssi_signo);
}

}  // namespace pushrod
