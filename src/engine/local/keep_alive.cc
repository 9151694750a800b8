// An instance's file is called after it, with "+" or "-" at the end, so that one look into the directory tells all.
#include "engine/local/keep_alive.hh"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

#include "os/accepting_ports.hh"
#include "os/files.hh"
#include "router/router.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kPatience{100};
// Of many at once, as when the machine starts: those who wait for the router must not wait for all.
constexpr std::size_t kAtATime = 8;
constexpr Milliseconds kBudget{500};
constexpr Milliseconds kPause{2};  // no event tells that another process accepts

UniqueFd begin_connection(Port port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS) {
    return {};
  }
  return fd;
}

bool is_connected(int fd, const Deadline& deadline) {
  pollfd event{fd, POLLOUT, 0};
  return poll(&event, 1, static_cast<int>(deadline.left().count())) == 1 && (event.revents & POLLERR) == 0;
}

}  // namespace

bool may_keep_connections(const TrafficTarget& target) {
  return !(target.sticky && target.backends.size() == 1) &&
         std::ranges::none_of(target.backends, [](const Backend& one) { return one.h2; });
}

bool accepts_idle_connections(Port port) {
  const auto accepting = accepting_ports();
  if (!accepting || !accepting->contains(port)) return false;
  const Deadline deadline(kPatience);
  std::vector<UniqueFd> connections;
  // Few at first: a server that handles one at a time gets two.
  for (unsigned wanted = 2; connections.size() < kIdleConnections + 4; wanted *= 2) {
    while (connections.size() < std::min(wanted, kIdleConnections + 4)) {
      connections.push_back(begin_connection(port));
      if (!connections.back() || !is_connected(connections.back().get(), deadline)) return false;
    }
    while (connections_waiting_at(port) > 0) {
      if (deadline.passed()) return false;
      std::this_thread::sleep_for(kPause);
    }
  }
  return true;
}

std::set<InstanceName> KeepAlive::known(const std::vector<TrafficTarget>& targets) const {
  const auto names = list_directory(directory_);
  const std::set<std::string> files(names.begin(), names.end());
  std::set<InstanceName> found;
  for (const auto& target : targets) {
    for (const auto& backend : target.backends) {
      if (files.contains(backend.instance.str() + "+")) found.insert(backend.instance);
    }
  }
  return found;
}

std::vector<Backend> KeepAlive::unknown(const std::vector<TrafficTarget>& targets) const {
  const auto names = list_directory(directory_);
  const std::set<std::string> files(names.begin(), names.end());
  std::vector<Backend> found;
  for (const auto& target : targets) {
    if (!may_keep_connections(target)) continue;
    for (const auto& backend : target.backends) {
      const auto name = backend.instance.str();
      if (!files.contains(name + "+") && !files.contains(name + "-")) found.push_back(backend);
    }
  }
  if (found.empty()) return found;
  const auto accepting = accepting_ports();
  std::erase_if(found, [&](const Backend& one) { return !accepting || !accepting->contains(one.endpoint.port); });
  return found;
}

void KeepAlive::find_out(const std::vector<TrafficTarget>& targets) const {
  const auto backends = unknown(targets);
  if (backends.empty()) return;
  make_directory(directory_);
  const Deadline deadline(kBudget);
  std::atomic<std::size_t> next = 0;
  const auto test = [&] {
    for (std::size_t at = next++; at < backends.size() && !deadline.passed(); at = next++) {
      const auto* const result = accepts_idle_connections(backends[at].endpoint.port) ? "+" : "-";
      write_file(directory_ / (backends[at].instance.str() + result), "", 0600, false);
    }
  };
  std::vector<std::future<void>> tests;
  while (tests.size() + 1 < std::min(backends.size(), kAtATime)) tests.push_back(std::async(std::launch::async, test));
  test();
  for (auto& other : tests) other.get();
}

bool KeepAlive::is_complete(const std::vector<TrafficTarget>& targets) const { return unknown(targets).empty(); }

void KeepAlive::forget(const std::vector<InstanceName>& ended) const {
  for (const auto& instance : ended) {
    for (const char* result : {"+", "-"}) remove_file(directory_ / (instance.str() + result));
  }
}

}  // namespace pushrod
