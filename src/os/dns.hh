// Questions to DNS, asked as the machine's resolver is told to (resolv.conf(5)); /etc/hosts does not count.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pushrod {

enum class DnsType : std::uint16_t { A = 1, AAAA = 28, CAA = 257 };

struct DnsAnswer {
  enum class State { Found, NoRecord, NoSuchName, Failed };
  State state = State::Failed;
  std::vector<std::string> records;  // addresses; of CAA "issue letsencrypt.org"
};

// Waits 4 s for an answer at most. Aliases (CNAME) are followed.
DnsAnswer ask_dns(const std::string& name, DnsType type);

// The records of this type in a DNS message (RFC 1035, RFC 8659). Pure. What cannot be read is left out.
std::vector<std::string> parse_dns_answer(std::string_view message, DnsType type);

// The addresses of this machine's interfaces that are up, without those of the loopback.
std::vector<std::string> own_addresses();

}  // namespace pushrod
