// The daemon's certificates.
#include "serve/certificate_thread.hh"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <memory>
#include <thread>

#include "base/error.hh"
#include "deploy/attempt.hh"
#include "deploy/certificates.hh"
#include "serve/own_platform.hh"

namespace pushrod {

namespace {
constexpr int kRetry = 10'000;  // milliseconds
}

CertificateThread::CertificateThread(const Platform& platform)
    : platform_(platform), calls_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!calls_) throw_errno("make an event descriptor");
  std::thread([this] { run(); }).detach();
}

void CertificateThread::call() {
  const std::uint64_t one = 1;
  static_cast<void>(!write(calls_.get(), &one, sizeof one));
}

void CertificateThread::run() {
  std::unique_ptr<OwnPlatform> own;
  std::unique_ptr<CertificateKeeper> keeper;
  while (true) {
    const bool passed = attempt("looking after certificates", [&] {
      if (!own) own = std::make_unique<OwnPlatform>(platform_);
      if (!keeper) keeper = std::make_unique<CertificateKeeper>(own->platform);
      timer_.set(keeper->pass(now()));
    });
    pollfd events[] = {{calls_.get(), POLLIN, 0}, {timer_.fd(), POLLIN, 0}};
    poll(events, 2, passed ? -1 : kRetry);
    std::uint64_t count = 0;
    for (const auto& event : events) static_cast<void>(!read(event.fd, &count, sizeof count));
  }
}

}  // namespace pushrod
