// How many connections may wait for their login at the same time. Each is a process, so the machine limits their
// number; and the number per address is limited, so that one address cannot use all of them.
#pragma once

#include <cstdint>
#include <string_view>

namespace pushrod {

struct Startups {
  unsigned most = 1000;
  unsigned per_address = 30;
  // OpenSSH 9.8 and later lock an address out for a while after failed logins. They must be told not to: behind one
  // address there may be a key that is allowed.
  bool has_penalties = false;
};

// `memory` of the machine, in bytes: an eighth of it at most is for such connections. `version`: what `sshd -V` prints.
Startups startups_for(std::uint64_t memory, std::string_view version);
// For this machine and the sshd that is installed. Throws Error when sshd cannot be run.
Startups startups_here();

}  // namespace pushrod
