// Does a domain lead to this server? What DNS says of it, what answers, and what to do.
#pragma once

#include <string>
#include <vector>

#include "operate/json.hh"
#include "operate/session.hh"
#include "os/dns.hh"

namespace pushrod {

// What the checks look at. Values, so that the conclusions can be tested.
struct DomainFacts {
  HostName host;
  DnsAnswer v4, v6, caa;
  std::vector<std::string> own;  // this machine's addresses
  std::string app;               // whose domain it is; empty: of none that the caller may see
  bool is_secure = false;        // has a certificate
};

struct DomainProblem {
  std::string text, remedy;
};

struct DomainCheck {
  DomainFacts facts;
  std::vector<DomainProblem> problems;  // none: DNS leads here
};
Json to_json(const DomainCheck& check);

std::vector<DomainProblem> problems_of(const DomainFacts& facts);

// Asks DNS: takes seconds when that does not answer. For hosts of apps that the caller may see; an administrator may
// ask about any. A wildcard is checked with a name that it covers.
DomainCheck check_domain(Session& session, const HostName& host);

}  // namespace pushrod
