#include "os/dns.hh"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

#include <array>
#include <memory>

namespace pushrod {

namespace {

constexpr int kSeconds = 2;  // for each of two attempts
constexpr int kAttempts = 2;

std::string address_text(int family, const void* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return inet_ntop(family, bytes, text.data(), text.size()) == nullptr ? std::string() : text.data();
}

// Flags, the tag's length, the tag, the value.
std::string caa_text(std::string_view data) {
  if (data.size() < 2) return {};
  const auto length = static_cast<unsigned char>(data[1]);
  if (data.size() < 2U + length) return {};
  return std::string(data.substr(2, length)) + " " + std::string(data.substr(2U + length));
}

std::string record_text(std::string_view data, DnsType type) {
  switch (type) {
    case DnsType::A:
      return data.size() == 4 ? address_text(AF_INET, data.data()) : std::string();
    case DnsType::AAAA:
      return data.size() == 16 ? address_text(AF_INET6, data.data()) : std::string();
    case DnsType::CAA:
      return caa_text(data);
  }
  return {};
}

}  // namespace

std::vector<std::string> parse_dns_answer(std::string_view message, DnsType type) {
  std::vector<std::string> records;
  ns_msg parsed{};
  const auto* const bytes = reinterpret_cast<const unsigned char*>(message.data());
  if (ns_initparse(bytes, static_cast<int>(message.size()), &parsed) != 0) return records;
  for (int number = 0; number < ns_msg_count(parsed, ns_s_an); ++number) {
    ns_rr record{};
    if (ns_parserr(&parsed, ns_s_an, number, &record) != 0) break;
    if (ns_rr_type(record) != static_cast<int>(type)) continue;
    const std::string_view data(reinterpret_cast<const char*>(ns_rr_rdata(record)), ns_rr_rdlen(record));
    if (auto text = record_text(data, type); !text.empty()) records.push_back(std::move(text));
  }
  return records;
}

DnsAnswer ask_dns(const std::string& name, DnsType type) {
  struct __res_state state {};
  if (res_ninit(&state) != 0) return {};
  const std::unique_ptr<struct __res_state, void (*)(res_state)> closing(&state, res_nclose);
  state.retrans = kSeconds;
  state.retry = kAttempts;
  std::array<unsigned char, 8192> buffer{};
  const int size = res_nquery(&state, name.c_str(), ns_c_in, static_cast<int>(type), buffer.data(), buffer.size());
  if (size < 0) {
    if (state.res_h_errno == HOST_NOT_FOUND) return {DnsAnswer::State::NoSuchName, {}};
    return {state.res_h_errno == NO_DATA ? DnsAnswer::State::NoRecord : DnsAnswer::State::Failed, {}};
  }
  const auto length = std::min(static_cast<std::size_t>(size), buffer.size());
  auto records = parse_dns_answer({reinterpret_cast<const char*>(buffer.data()), length}, type);
  return {records.empty() ? DnsAnswer::State::NoRecord : DnsAnswer::State::Found, std::move(records)};
}

std::vector<std::string> own_addresses() {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return {};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> all(first, freeifaddrs);
  std::vector<std::string> addresses;
  for (const auto* one = first; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || (one->ifa_flags & IFF_LOOPBACK) != 0 || (one->ifa_flags & IFF_UP) == 0) continue;
    if (one->ifa_addr->sa_family == AF_INET) {
      addresses.push_back(address_text(AF_INET, &reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr));
    } else if (one->ifa_addr->sa_family == AF_INET6) {
      const auto& address = reinterpret_cast<const sockaddr_in6*>(one->ifa_addr)->sin6_addr;
      if (!IN6_IS_ADDR_LINKLOCAL(&address)) addresses.push_back(address_text(AF_INET6, &address));
    }
  }
  return addresses;
}

}  // namespace pushrod
