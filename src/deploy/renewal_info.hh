// When a CA wants its certificates renewed (ACME Renewal Information, RFC 9773). A CA that has revoked certificates, or
// is about to, says so here.
// Kept in a file per certificate, below Layout::renewals(), which may be lost or half written: then the CA is asked
// again, and until then a certificate is due by its lifetime.
#pragma once

#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "deploy/platform.hh"
#include "model/acme.hh"

namespace pushrod {

// What the CA has said last; absent when it has said nothing.
std::optional<RenewalWindow> renewal_window(const Layout& layout, const Certificate& certificate);

// Asks about those for which it is time: every six hours, or when the CA has said. Takes some seconds when it does not
// answer. Forgets what was said of others. Returns when to call it again.
WallTime ask_for_renewals(const Platform& platform, const std::vector<Certificate>& certificates, WallTime now);

std::optional<RenewalWindow> parse_renewal_info(std::string_view json);  // pure

}  // namespace pushrod
