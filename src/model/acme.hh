// Certificates by ACME: which hosts get one from the CA, and when the next order for a host may begin. Pure.
//
// An order is due when there is no certificate, or when little of its lifetime is left. It waits after a failure, for
// as long as the CA has asked, and for as long as one of the CA's published limits is used up.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/certificate.hh"

namespace pushrod {

// As the database keeps it, for as long as it counts.
struct AcmeOrder {
  std::int64_t id = 0;
  HostName host;
  bool renews = false;  // the host had a certificate of the CA when it began
  WallTime begun;
  std::optional<WallTime> ended{};       // absent: it runs, or its process was killed
  std::string error{};                   // empty: a certificate came
  std::optional<WallTime> not_before{};  // the CA takes no other one until then
};
// Orders count for so long: the longest window of a limit, and a day more.
inline constexpr std::chrono::hours kAcmeOrderCounts{8 * 24};

// When the CA wants a certificate renewed (RFC 9773): at a time of Pushrod's choice between the two.
struct RenewalWindow {
  WallTime start, end;
};

// When a certificate is to be renewed: in the CA's window, if it has said one, but not within the first ninetieth
// of the lifetime, nor when less than a sixth is left. Else when a third of its lifetime is left, half of one of less
// than ten days; and up to a thirtieth of it earlier, by host, so that not all are due at once.
WallTime due_time(const Certificate& certificate, const std::optional<RenewalWindow>& window = {});
// Less than a quarter of the lifetime is left: what renews it has failed for a while.
bool expires_soon(const Certificate& certificate, WallTime now);

struct AcmeWant {
  HostName host;
  std::optional<Certificate> certificate;  // that it has from the CA
  bool is_requested = false;               // `cert renew`: due now, and after failures, too
  std::optional<RenewalWindow> window{};   // what the CA says of that certificate
};
struct NextOrder {
  WallTime at;         // not after now: it is due
  std::string reason;  // for it, or why it has to wait: "it is due", "the CA's limit of 5 certificates …"
};
// `orders`: of all hosts, oldest first. `has_limits`: keep within those that Let's Encrypt has published.
NextOrder next_order(const AcmeWant& want, const std::vector<AcmeOrder>& orders, bool has_limits, WallTime now);

// Why no CA certifies this name; absent: one may. `is_public`: a CA that browsers trust. `has_dns`: there are
// credentials for the host's DNS provider, which a wildcard needs (DNS-01).
std::optional<std::string> why_not_certifiable(const HostName& host, bool is_public, bool has_dns);

// What sets records at a DNS provider, for the names of one zone. Sealed: the variables of lego's provider
// (store/vault.hh).
struct DnsCredentials {
  std::string zone;      // "example.com"; empty: every zone that has none of its own
  std::string provider;  // as lego names it: "cloudflare"
  std::string sealed;
  WallTime added;
};
// Those of the longest zone that the host lies in; nullptr: there are none.
const DnsCredentials* credentials_for(const std::vector<DnsCredentials>& all, const HostName& host);

}  // namespace pushrod
