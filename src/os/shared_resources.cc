// Asks the kernel by trying; counts by what /proc tells of each open descriptor.
#include "os/shared_resources.hh"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr in_port_t kDiscard = 9;

sockaddr_in loopback(in_port_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// As the router does for each request. Whether something accepts the connection does not matter.
bool can_connect() {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto address = loopback(kDiscard);
  return !fd || connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
         errno != EADDRNOTAVAIL;
}

// As the resolver does for each name.
bool can_bind_udp() {
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto address = loopback(0);
  return !fd || bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno != EADDRINUSE;
}

bool can_open() {
  const UniqueFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  return fd || errno != ENFILE;
}

std::uint64_t number_in(const char* file) {
  return parse_unsigned(trim(read_file(file, 4096).value_or("0"))).value_or(0);
}

std::uint64_t ephemeral_ports() {
  const auto text = read_file("/proc/sys/net/ipv4/ip_local_port_range", 4096).value_or("");
  auto words = split(trim(text), '\t');
  std::erase(words, "");
  if (words.size() < 2) return 0;
  const auto first = parse_unsigned(words.front()), last = parse_unsigned(words.back());
  return first && last && *last >= *first ? *last - *first + 1 : 0;
}

// The watches of one epoll descriptor: a line "tfd: …" each.
std::uint64_t watches_of(const std::string& fdinfo) {
  const UniqueFd fd(open(fdinfo.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 65'536> buffer;
  std::uint64_t count = 0;
  char before = '\n';
  for (ssize_t got; fd && (got = read(fd.get(), buffer.data(), buffer.size())) > 0;) {
    for (const char character : std::string_view(buffer.data(), static_cast<std::size_t>(got))) {
      if (before == '\n' && character == 't') ++count;
      before = character;
    }
  }
  return count;
}

std::uint64_t count_of(const std::string& process, const char* descriptor, SharedResource resource) {
  if (resource == SharedResource::OpenFiles) return 1;
  std::array<char, 64> target{};
  const auto length = readlink((process + "/fd/" + descriptor).c_str(), target.data(), target.size());
  const std::string_view what(target.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  if (resource != SharedResource::EpollWatches) return what.starts_with("socket:") ? 1 : 0;
  return what == "anon_inode:[eventpoll]" ? watches_of(process + "/fdinfo/" + descriptor) : 0;
}

}  // namespace

std::string_view name_of(SharedResource resource) {
  switch (resource) {
    case SharedResource::EpollWatches:
      return "epoll watches";
    case SharedResource::TcpPorts:
      return "local TCP ports";
    case SharedResource::UdpPorts:
      return "local UDP ports";
    case SharedResource::OpenFiles:
      return "open files";
  }
  return "resources";
}

SharedResourceProbe::SharedResourceProbe() : epoll_(epoll_create1(EPOLL_CLOEXEC)), event_(eventfd(0, EFD_CLOEXEC)) {
  if (!epoll_ || !event_) throw_errno("prepare to watch what apps use");
}

bool SharedResourceProbe::is_used_up(SharedResource resource) const {
  switch (resource) {
    case SharedResource::EpollWatches: {
      epoll_event wanted{};
      if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, event_.get(), &wanted) != 0) return errno == ENOSPC;
      epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, event_.get(), nullptr);
      return false;
    }
    case SharedResource::TcpPorts:
      return !can_connect();
    case SharedResource::UdpPorts:
      return !can_bind_udp();
    case SharedResource::OpenFiles:
      return !can_open();
  }
  return false;
}

std::uint64_t total_of(SharedResource resource) {
  switch (resource) {
    case SharedResource::EpollWatches:
      return number_in("/proc/sys/fs/epoll/max_user_watches");
    case SharedResource::OpenFiles:
      return number_in("/proc/sys/fs/file-max");
    default:
      return ephemeral_ports();
  }
}

std::uint64_t used_by(pid_t process, SharedResource resource) {
  const auto directory = "/proc/" + std::to_string(process);
  const std::unique_ptr<DIR, int (*)(DIR*)> descriptors(opendir((directory + "/fd").c_str()), closedir);
  std::uint64_t count = 0;
  while (const dirent* entry = descriptors ? readdir(descriptors.get()) : nullptr) {
    if (entry->d_name[0] != '.') count += count_of(directory, entry->d_name, resource);
  }
  return count;
}

}  // namespace pushrod
