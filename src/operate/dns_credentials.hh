// Credentials for DNS providers, by which a CA certifies wildcards (DNS-01). For administrators.
#pragma once

#include <string>
#include <vector>

#include "operate/json.hh"
#include "operate/session.hh"

namespace pushrod {

struct DnsCredentialsView {
  std::string zone;  // empty: every zone that has none of its own
  std::string provider;
  std::vector<std::string> variables;  // their names
  WallTime added;
};
Json to_json(const DnsCredentialsView& view);

// Seals the variables, in place of the zone's, and lets orders for its wildcards that have failed begin anew.
// `variables`: NAME=value lines (config/dotenv.hh). Throws UserError for a provider that lego does not know, a variable
// that it does not document for it, and over SSH for one that names a file on this machine.
DnsCredentialsView set_dns_credentials(Session& session, const std::string& zone, const std::string& provider,
                                       const std::string& variables);
std::vector<DnsCredentialsView> list_dns_credentials(Session& session);
// Certificates that it brought stay.
void remove_dns_credentials(Session& session, const std::string& zone);

}  // namespace pushrod
