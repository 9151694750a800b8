// Certificates of hosts: how one goes live, and those that Pushrod obtains itself (ACME).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "certificates/pem.hh"
#include "deploy/platform.hh"
#include "model/acme.hh"

namespace pushrod {

// To disk and database; publish_routes() then shows it, whatever state the app is in, without a reload.
// `certificate`: what check_pair() says of the pair. False, and nothing changes, when a CA's certificate would replace
// one that people have given. Killed at any point, it has happened or not once the next change or the daemon's next
// pass is through: the database decides. `together_with` changes the store in the same transaction.
bool install_certificate(const Platform& platform, const PemPair& pair, const Certificate& certificate,
                         const std::function<void()>& together_with = {});
// Removes it with its key. One that has taken its place meanwhile stays.
void uninstall_certificate(const Platform& platform, const Certificate& certificate);

// A host for which Pushrod obtains a certificate, or would.
struct AcmeState {
  AcmeWant want;
  NextOrder next;
  std::string error;                   // why the last order failed; empty: it did not
  std::optional<std::string> why_not;  // none is ordered: it is not such a name
};
// Every host that leads to an app and has no certificate of an operator's, which a wildcard's may be; by host. Apps'
// own addresses only where they may get one. Empty without [acme].
std::vector<AcmeState> acme_states(const Platform& platform, WallTime now);

// What is wrong with certificates: less than a quarter of the lifetime is left, or the last order has failed. By the
// certificate's host.
std::map<HostName, std::string> certificate_warnings(const Platform& platform, WallTime now);

// Obtains and renews, one certificate after the other, and speaks up for those that expire.
class CertificateKeeper {
 public:
  explicit CertificateKeeper(const Platform& platform) : platform_(platform) {}

  // Orders the one that is due first, if one is; returns when to call it again. An order that fails is reported and
  // recorded. One that dies with the process is begun again.
  WallTime pass(WallTime now);

 private:
  void finish_changes();
  WallTime ask_about_renewals(WallTime now);
  void order(const AcmeState& state);
  void remove_unused(const std::vector<AcmeState>& states, WallTime now);
  void warn(WallTime now);

  const Platform& platform_;
  std::map<HostName, WallTime> warned_;  // since the daemon began
  bool lacks_lego_ = false;
};

}  // namespace pushrod
