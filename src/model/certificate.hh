// A certificate that the router shows for a host, as the database knows it. The chain and the key lie in
// Layout::certificate(host).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/host_name.hh"
#include "os/clock.hh"

namespace pushrod {

enum class CertificateSource {
  Operator,  // given with `cert add`
  Acme,      // obtained from a CA
};
std::string_view to_string(CertificateSource source);  // "operator", "acme"

struct Certificate {
  HostName host;  // for which handshakes it is shown
  CertificateSource source = CertificateSource::Operator;
  std::vector<std::string> names;  // that it is valid for
  std::string issuer;
  std::string serial;       // hexadecimal digits
  std::string fingerprint;  // SHA-256, hexadecimal digits
  WallTime not_before, not_after;
  WallTime added;
};

}  // namespace pushrod
