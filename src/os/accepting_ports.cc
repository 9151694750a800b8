// Asks the kernel for all sockets that listen, over netlink.
#include "os/accepting_ports.hh"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <string_view>

#include "os/retry.hh"
#include "os/unique_fd.hh"

namespace pushrod {

namespace {

constexpr std::uint32_t kListening = 1U << 10;  // of the kernel's TCP states
constexpr std::size_t kAlignment = 4;

std::size_t aligned(std::size_t size) { return (size + kAlignment - 1) & ~(kAlignment - 1); }

// The first bytes as a structure; absent when there are too few.
template <class Structure>
std::optional<Structure> read_as(std::string_view bytes) {
  if (bytes.size() < sizeof(Structure)) return std::nullopt;
  Structure value;
  memcpy(&value, bytes.data(), sizeof value);
  return value;
}

bool ask(int fd, unsigned char family) {
  struct {
    nlmsghdr head;
    inet_diag_req_v2 request;
  } message{};
  message.head.nlmsg_len = sizeof message;
  message.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message.request.sdiag_family = family;
  message.request.sdiag_protocol = IPPROTO_TCP;
  message.request.idiag_states = kListening;
  return send(fd, &message, sizeof message, 0) == static_cast<ssize_t>(sizeof message);
}

// A socket of IPv6 that takes no connections of IPv4 (IPV6_V6ONLY).
bool is_v6_only(std::string_view attributes) {
  while (const auto attribute = read_as<nlattr>(attributes)) {
    if (attribute->nla_len < sizeof(nlattr) || attribute->nla_len > attributes.size()) return false;
    if (attribute->nla_type == INET_DIAG_SKV6ONLY && attribute->nla_len > sizeof(nlattr)) {
      return attributes[sizeof(nlattr)] != 0;
    }
    attributes.remove_prefix(std::min(aligned(attribute->nla_len), attributes.size()));
  }
  return false;
}

bool takes_127_0_0_1(const inet_diag_msg& socket, std::string_view attributes) {
  const auto& words = socket.id.idiag_src;
  const auto loopback = htonl(INADDR_LOOPBACK);
  if (socket.idiag_family == AF_INET) return words[0] == htonl(INADDR_ANY) || words[0] == loopback;
  if (words[0] != 0 || words[1] != 0) return false;
  if (words[2] == 0 && words[3] == 0) return !is_v6_only(attributes);
  return words[2] == htonl(0xFFFF) && (words[3] == htonl(INADDR_ANY) || words[3] == loopback);
}

// A socket that listens.
struct Listening {
  Port port = 0;
  unsigned waiting = 0;  // connections that have not been accepted
  unsigned most = 0;     // that may wait
  bool takes_127_0_0_1 = false;
};
using Visitor = std::function<void(const Listening&)>;

void show_socket(std::string_view content, const Visitor& visit) {
  const auto socket = read_as<inet_diag_msg>(content);
  if (!socket) return;
  const auto attributes = content.substr(std::min(aligned(sizeof(inet_diag_msg)), content.size()));
  visit({ntohs(socket->id.idiag_sport), socket->idiag_rqueue, socket->idiag_wqueue,
         takes_127_0_0_1(*socket, attributes)});
}

enum class Answer { More, Complete, Broken };

Answer show_sockets(std::string_view messages, const Visitor& visit) {
  while (const auto head = read_as<nlmsghdr>(messages)) {
    if (head->nlmsg_len < sizeof(nlmsghdr) || head->nlmsg_len > messages.size()) return Answer::Broken;
    if (head->nlmsg_type == NLMSG_DONE) return Answer::Complete;
    if (head->nlmsg_type != SOCK_DIAG_BY_FAMILY) return Answer::Broken;
    show_socket(messages.substr(sizeof(nlmsghdr), head->nlmsg_len - sizeof(nlmsghdr)), visit);
    messages.remove_prefix(std::min(aligned(head->nlmsg_len), messages.size()));
  }
  return Answer::More;
}

bool show_family(int fd, unsigned char family, const Visitor& visit) {
  if (!ask(fd, family)) return false;
  std::array<char, 65'536> buffer;
  while (true) {
    const auto size = retry_interrupted([&] { return recv(fd, buffer.data(), buffer.size(), MSG_TRUNC); });
    if (size <= 0 || static_cast<std::size_t>(size) > buffer.size()) return false;
    const auto answer = show_sockets({buffer.data(), static_cast<std::size_t>(size)}, visit);
    if (answer != Answer::More) return answer == Answer::Complete;
  }
}

// False when the kernel does not tell.
bool show_all(const Visitor& visit) {
  const UniqueFd fd{socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)};
  if (!fd || !show_family(fd.get(), AF_INET, visit)) return false;
  // A machine may have no IPv6.
  static_cast<void>(show_family(fd.get(), AF_INET6, visit));
  return true;
}

}  // namespace

std::optional<std::set<Port>> accepting_ports() {
  std::set<Port> ports;
  const bool told = show_all([&](const Listening& socket) {
    if (socket.waiting <= socket.most && socket.takes_127_0_0_1) ports.insert(socket.port);
  });
  return told ? std::optional(std::move(ports)) : std::nullopt;
}

unsigned connections_waiting_at(Port port) {
  unsigned waiting = 0;
  static_cast<void>(show_all([&](const Listening& socket) {
    if (socket.port == port) waiting += socket.waiting;
  }));
  return waiting;
}

}  // namespace pushrod
