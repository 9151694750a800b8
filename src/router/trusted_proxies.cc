// Renders the rules about clients and the proxies between them and the router.
#include "router/trusted_proxies.hh"

#include <fmt/format.h>

#include "base/text.hh"
#include "router/client_claims.hh"

namespace pushrod {

namespace {

// How many trusted proxies in a row are followed.
constexpr int kMostHops = 5;

// A client's address is the last one in X-Forwarded-For that is not a trusted proxy's. An entry that is not an address
// ends the search: what stands before it may come from the client.
std::string render_hops(const std::string& networks) {
  std::string rules = "  http-request set-var(txn.hop1) req.hdr_ip(X-Forwarded-For,-1) if from-proxy\n";
  for (int hop = 2; hop <= kMostHops; ++hop) {
    rules += fmt::format(
        "  http-request set-var(txn.hop{0}) req.hdr_ip(X-Forwarded-For,-{0}) if {{ var(txn.hop{1}) -m ip {2} }}\n", hop,
        hop - 1, networks);
  }
  return rules;
}

std::string render_source() {
  std::string rules;
  for (int hop = 1; hop <= kMostHops; ++hop) {
    rules +=
        fmt::format("  http-request set-src var(txn.hop{0}) if !{{ stopping }} {{ var(txn.hop{0}) -m found }}\n", hop);
  }
  return rules;
}

// A worker that a reload left behind changes nothing of this: the current one does.
constexpr std::string_view kReadProxy = R"(  # What a trusted proxy says of its client.
  http-request set-var(txn.from_proxy) bool(true) if {{ src {networks} }}
  acl from-proxy var(txn.from_proxy) -m bool
{hops}  http-request set-var(txn.proto) req.hdr(X-Forwarded-Proto,-1),lower if from-proxy {{ req.hdr(X-Forwarded-Proto,-1),lower -m str http https }}
  http-request set-var(txn.public_host) req.hdr(X-Forwarded-Host,-1) if from-proxy {{ req.hdr(X-Forwarded-Host,-1) -m reg '^([0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{{1,5}})?$' }}
  http-request set-var(txn.port) req.hdr(X-Forwarded-Port,-1) if from-proxy {{ req.hdr(X-Forwarded-Port,-1) -m reg '^[0-9]{{1,5}}$' }}
  http-request set-var(txn.port) var(txn.public_host),port_only if {{ var(txn.public_host) -m found }} !{{ var(txn.port) -m found }}
  # Several lines are one list. What stands before the last three was not written by a proxy near us.
  http-request set-var-fmt(txn.chain) "%[req.fhdr(X-Forwarded-For,-1)], " if from-proxy {{ req.fhdr(X-Forwarded-For) -m found }}
  http-request set-var-fmt(txn.chain) "%[req.fhdr(X-Forwarded-For,-2)], %[var(txn.chain)]" if from-proxy {{ req.fhdr_cnt(X-Forwarded-For) ge 2 }}
  http-request set-var-fmt(txn.chain) "%[req.fhdr(X-Forwarded-For,-3)], %[var(txn.chain)]" if from-proxy {{ req.fhdr_cnt(X-Forwarded-For) ge 3 }}
)";

// The port is the one that the client asked for; behind a translation of addresses it is another one than ours.
constexpr std::string_view kPort = R"(  acl names-port req.fhdr(Host) -m sub :
  acl has-port var(txn.port) -m int gt 0
  http-request set-var(txn.port) req.fhdr(Host),port_only if names-port !has-port
  http-request set-var(txn.port) int(80) if !has-port !secure
  http-request set-var(txn.port) int(443) if !has-port secure
)";

// `add`, not `set`: the headers were removed, and looking for them again costs.
constexpr std::string_view kHeaders = R"(  http-request add-header X-Forwarded-For %[var(sess.src)]
  http-request add-header X-Forwarded-Proto %[var(sess.proto)]
  http-request add-header X-Forwarded-Host %[req.fhdr(Host)]
  http-request add-header X-Forwarded-Port %[var(txn.port)]
)";

constexpr std::string_view kHeadersBehindProxies =
    R"({source}  http-request set-header X-Forwarded-Proto %[var(txn.proto)]{current}
  http-request set-header X-Forwarded-Host %[req.fhdr(Host)]{current}
{port}  http-request set-header X-Forwarded-Port %[var(txn.port)]{current}
  http-request set-header X-Forwarded-Host %[var(txn.public_host)] if !{{ stopping }} {{ var(txn.public_host) -m found }}
)";

}  // namespace

std::string render_proxy_protocol(const Settings& settings) {
  if (!settings.proxy_protocol) return {};
  return fmt::format("  tcp-request connection expect-proxy layer4 if {{ src {} }}\n",
                     join(settings.trusted_proxies, " "));
}

std::string render_client_facts(const Settings& settings) {
  const bool trusts = !settings.trusted_proxies.empty();
  std::string rules =
      "  tcp-request session set-var(sess.proto) str(https) if tls\n"
      "  tcp-request session set-var(sess.proto) str(http) unless tls\n";
  if (!trusts) rules += "  tcp-request session set-var-fmt(sess.src) %[src]\n";
  return rules + fmt::format("  acl secure var({}.proto) -m str https\n", trusts ? "txn" : "sess");
}

std::string render_client_headers(const Settings& settings) {
  constexpr std::string_view kForget =
      "  # What a client says of itself is forgotten; what we know is set.\n"
      "  http-request del-header '{}' -m reg{}\n";
  if (settings.trusted_proxies.empty()) {
    return fmt::format(kForget, client_claims_pattern(), "") + std::string(kPort) + std::string(kHeaders);
  }
  const auto networks = join(settings.trusted_proxies, " ");
  const std::string_view current = " unless from-proxy { stopping }";
  return "  http-request set-var(txn.proto) var(sess.proto)\n" +
         fmt::format(kReadProxy, fmt::arg("networks", networks), fmt::arg("hops", render_hops(networks))) +
         fmt::format(kForget, client_claims_pattern(), current) +
         fmt::format("  http-request set-header X-Forwarded-For %[var(txn.chain)]%[src]{}\n", current) +
         fmt::format(kHeadersBehindProxies, fmt::arg("source", render_source()), fmt::arg("port", kPort),
                     fmt::arg("current", current));
}

}  // namespace pushrod
