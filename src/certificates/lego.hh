// lego(1) of Debian (4.9): one order for one host, with a challenge over HTTP (RFC 8555, 8.3) or DNS (8.4). It knows
// the account with the CA; whether and when to order is not its business (model/acme.hh).
//
// A lego that is killed leaves its directory as the next order can use it. Not to be run twice at a time in one
// directory.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/secret.hh"
#include "certificates/pem.hh"
#include "model/host_name.hh"
#include "model/layout.hh"
#include "model/settings.hh"
#include "os/command.hh"

namespace pushrod {

struct LegoFailure {
  std::string error;                     // in the CA's words, or lego's; one line
  std::optional<WallTime> not_before{};  // the CA takes no other order until then
};
struct LegoResult {
  std::optional<PemPair> pair;  // absent: it failed
  LegoFailure failure{};
};

// A provider of DNS as lego knows it. lego gets the variables in its environment alone.
struct DnsProvider {
  std::string name;
  std::map<std::string, Secret> variables;
};

// Its key is ECDSA P-256, a new one for each order. Without a DNS provider, the CA finds what it asks for below
// layout.challenges(), which the router shows; takes up to five minutes. With one, lego sets a TXT record there, waits
// until it is seen, and removes it; takes up to 20 minutes. A failure tells none of the variables' values. Throws Error
// when lego cannot be started.
LegoResult order_certificate(const Layout& layout, const AcmeSettings& acme, const HostName& host,
                             const std::optional<DnsProvider>& dns);

// The variables that lego's documentation names for a provider; absent: it does not know the provider. Throws Error
// when lego cannot be started.
std::optional<std::set<std::string>> variables_of_dns_provider(const std::string& name);

Command lego_command(const Layout& layout, const AcmeSettings& acme, const HostName& host,
                     const std::optional<DnsProvider>& dns);         // pure
LegoFailure parse_lego_failure(std::string_view output);             // pure
std::set<std::string> parse_provider_help(std::string_view output);  // pure

// What an order that was killed may have left half written: its account's files, the CA's challenges.
void prepare_for_lego(const Layout& layout);

}  // namespace pushrod
