// Certificates: what the router shows to clients that ask for a host over https. A change counts at once, without a
// reload, whatever state the apps are in.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/certificate.hh"
#include "operate/json.hh"
#include "operate/session.hh"

namespace pushrod {

struct CertificateView {
  Certificate certificate;
  std::vector<std::string> apps;  // whose hosts it is shown for, as far as the caller may see them
  bool is_due = false;            // less than a quarter of its lifetime is left
  std::string state;              // when Pushrod renews it, or why that failed; empty for an operator's
};
Json to_json(const CertificateView& view);

// Those of hosts that the caller may see; an administrator sees all.
std::vector<CertificateView> list_certificates(Session& session);
// A host of an app for which Pushrod obtains a certificate, and has none yet.
struct AwaitedCertificate {
  HostName host;
  std::vector<std::string> apps;
  std::string state;  // "is being obtained", or why there is none and when it is tried again
};
Json to_json(const AwaitedCertificate& awaited);
std::vector<AwaitedCertificate> awaited_certificates(Session& session);
// Both lists: a host is in exactly one of them, even if an order for it ends meanwhile.
struct AllCertificates {
  std::vector<CertificateView> there;
  std::vector<AwaitedCertificate> awaited;
};
AllCertificates all_certificates(Session& session);
CertificateView certificate_of(Session& session, const HostName& host);

struct AddedCertificate {
  CertificateView view;
  std::string distrust;  // why clients may not trust it; empty when they do
};
// `pem`: the chain and the private key. Checks both first. Needs the right Deploy for an app with this very host; any
// other host (a wildcard, an app's own address) is for administrators. Throws UserError, also without [https].
AddedCertificate add_certificate(Session& session, const HostName& host, const std::string& pem);
// Before a certificate is read from standard input.
void require_certificate_right(Session& session, const HostName& host);
void remove_certificate(Session& session, const HostName& host);
// The daemon obtains one now, also when the last order has just failed. Throws UserError for one that an operator gave,
// and while the CA takes no order.
void renew_certificate(Session& session, const HostName& host);

}  // namespace pushrod
