// Listen addresses, read and written.
// Only numeric addresses: a name could mean another address at every start.
#include "model/settings.hh"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <limits>
#include <string_view>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

bool is_address(int family, std::string_view text) {
  in6_addr address{};
  // inet_pton stops at a NUL, which would let the rest of the text through unread.
  return text.find('\0') == std::string_view::npos && inet_pton(family, std::string(text).c_str(), &address) == 1;
}

}  // namespace

bool AcmeSettings::is_lets_encrypt() const { return directory.find(".api.letsencrypt.org/") != std::string::npos; }

std::string ListenAddress::str() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

ListenAddress parse_listen_address(const std::string& text) {
  const auto refuse = [&](std::string_view reason) {
    throw UserError(fmt::format("listen address {} {}: write ADDRESS:PORT, such as 127.0.0.1:8080, [::1]:8080 or *:80",
                                quoted(text), reason));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) refuse("has no port");
  const std::string_view host = std::string_view(text).substr(0, colon);
  const std::string_view digits = std::string_view(text).substr(colon + 1);

  const auto port = parse_unsigned(digits);
  if (!port || *port == 0 || *port > std::numeric_limits<Port>::max()) {
    refuse(fmt::format("has the port {}, which is not a number from 1 to 65535", quoted(digits)));
  }
  const auto listen = [&](std::string_view address) {
    return ListenAddress{std::string(address), static_cast<Port>(*port)};
  };
  if (host.empty() || host == "*") return listen("*");
  if (is_address(AF_INET, host)) return listen(host);
  if (host.starts_with('[') && host.ends_with(']')) {
    const std::string_view inner = host.substr(1, host.size() - 2);
    if (is_address(AF_INET6, inner)) return listen(inner);
  } else if (is_address(AF_INET6, host)) {
    refuse("has an IPv6 address without brackets");
  }
  refuse(fmt::format("has {}, which is neither an IP address nor \"*\"", quoted(host)));
  return {};
}

bool is_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = text.substr(0, slash);
  const bool is_ipv4 = is_address(AF_INET, address);
  if (!is_ipv4 && !is_address(AF_INET6, address)) return false;
  if (slash == text.npos) return true;
  const auto digits = text.substr(slash + 1);
  const auto length = parse_unsigned(digits);
  return length && digits.size() <= 3 && *length <= (is_ipv4 ? 32U : 128U);
}

}  // namespace pushrod
