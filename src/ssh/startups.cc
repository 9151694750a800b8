// Measured with OpenSSH 9.2 and 10.0: 500 connections that wait for their login take 620 and 664 MB.
#include "ssh/startups.hh"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "os/command.hh"

namespace pushrod {

namespace {

constexpr std::uint64_t kMemoryOfOne = std::uint64_t{13} << 17;  // 1.6 MB
constexpr unsigned kLeastAddresses = 4;  // that together fill all places, however small the machine is

// "OpenSSH_9.2p1 …": 9 and 2; zeros for another text.
std::pair<unsigned, unsigned> version_of(std::string_view text) {
  constexpr std::string_view kName = "OpenSSH_";
  std::pair<unsigned, unsigned> version{0, 0};
  const auto at = text.find(kName);
  if (at == text.npos) return version;
  text.remove_prefix(at + kName.size());
  const auto* const end = text.data() + text.size();
  const auto* const dot = std::from_chars(text.data(), end, version.first).ptr;
  if (dot != end && *dot == '.') std::from_chars(dot + 1, end, version.second);
  return version;
}

}  // namespace

Startups startups_for(std::uint64_t memory, std::string_view version) {
  Startups startups;
  const auto affordable = static_cast<unsigned>(std::min<std::uint64_t>(memory / 8 / kMemoryOfOne, startups.most));
  startups.most = std::max(affordable, kLeastAddresses * startups.per_address);
  startups.has_penalties = version_of(version) >= std::pair(9U, 8U);
  return startups;
}

Startups startups_here() {
  Command command;
  command.argv = {"sshd", "-V"};
  const auto result = run(command);
  const auto memory =
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return startups_for(memory, result.out + result.err);
}

}  // namespace pushrod
