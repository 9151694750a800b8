// Does a domain lead to this server? What DNS says of it, what answers, and what to do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operate/json.hh"
#include "operate/session.hh"
#include "os/dns.hh"

namespace pushrod {

// What the checks look at. Values, so that the conclusions can be tested.
// What answers at port 80 of an address that DNS names.
struct PortAnswer {
  std::string address;
  int status = 0;               // 0: nothing answers
  std::string server{};         // what it calls itself; often empty
  std::string error{};          // why nothing answers
  std::optional<bool> is_ours;  // this router; absent: it cannot be told
};

struct DomainFacts {
  HostName host;
  DnsAnswer v4, v6, caa;
  std::vector<std::string> own;  // this machine's addresses
  std::string app;               // whose domain it is; empty: of none that the caller may see
  bool is_secure = false;        // has a certificate
  Port http_port = 80;           // where the router listens
  std::vector<PortAnswer> answers{};
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

// Whether people who add the host to an app want to know: a name of the public DNS.
bool is_worth_checking(const HostName& host);

// Asks DNS, and the addresses that it names at port 80: takes seconds when these do not answer. For hosts of apps that
// the caller may see; an administrator may ask about any. A wildcard is checked with a name that it covers.
DomainCheck check_domain(Session& session, const HostName& host);

}  // namespace pushrod
