// A connection is counted at three places: with all others of its address, with all others from this machine, and,
// while it has a request, with all others of the app.
#include "router/shares.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hh"
#include "router/router.hh"
#include "router/slots.hh"

namespace pushrod {

namespace {

// Requests that an old worker hands to the current one come while public connections may all be taken.
constexpr unsigned kReserve = 500;

// `gt` of HAProxy's rules is "more than". 127.0.0.1 is where a reverse proxy on this machine has all its clients; so is
// an app, and it can choose any other address of 127/8 as well. So they all have one share together, which leaves the
// rest to other machines, and 127.0.0.1 has none of its own.
constexpr std::string_view kConnectionShares = R"(  acl this-machine src 127.0.0.0/8 ::1
  acl many-clients src 127.0.0.1 ::1{proxies}
  acl mapped-ipv4 src ::ffff:0:0/96
  tcp-request connection track-sc0 src table addresses if mapped-ipv4 !many-clients
  tcp-request connection track-sc0 src,ipmask(32,64) table addresses unless mapped-ipv4 || many-clients
  tcp-request connection track-sc1 str(all) table this-machine if this-machine
  # A tenth above the share a connection is closed at once; up to there its request gets a page that says why.
  tcp-request connection reject if {{ sc0_conn_cur gt {address_end} }}
  tcp-request connection reject if {{ sc1_conn_cur gt {this_machine} }}
  # When most places are taken, no address gets more than a few of the others.
  tcp-request connection reject if {{ fe_conn gt {crowded} }} {{ sc0_conn_cur gt {address_when_crowded} }}
)";

constexpr std::string_view kTooMany =
    "  tcp-request session set-var(sess.too_many) bool(true) if {{ sc0_conn_cur gt {address} }}\n";

// The same for an address that the PROXY protocol tells, which is known only after the connection rules.
constexpr std::string_view kProxiedShares =
    R"(  tcp-request session track-sc0 src table addresses if mapped-ipv4 !many-clients
  tcp-request session track-sc0 src,ipmask(32,64) table addresses unless mapped-ipv4 || many-clients
  tcp-request session reject if {{ sc0_conn_cur gt {address_end} }}
  tcp-request session reject if {{ fe_conn gt {crowded} }} {{ sc0_conn_cur gt {address_when_crowded} }}
)";

constexpr std::string_view kRequestShares =
    R"(  http-request return status 429 errorfiles address if {{ var(sess.too_many) -m bool }}
  http-request track-sc2 str(all) table requests unless {{ so_id {second_try} }}
  http-request return status 503 errorfiles full if {{ sc2_conn_cur gt {requests} }}
)";

}  // namespace

std::string render_connection_limit(const Settings& settings) {
  // Where the system allows fewer descriptors, HAProxy says so and takes what it gets.
  return fmt::format("  maxconn {}\n  no strict-limits\n", settings.connections + kReserve);
}

unsigned connections_within(std::uint64_t descriptors) {
  constexpr std::uint64_t kLeast = 100;
  constexpr std::uint64_t kMost = 1'000'000;
  constexpr std::uint64_t kOwn = 41 + 2 * kReserve;  // HAProxy's own, and those of requests that workers hand on
  // Two connections take three descriptors: one of the two may have a request at an app (render_request_shares).
  const auto clients = descriptors > kOwn ? (std::min(descriptors, 2 * kMost) - kOwn) * 2 / 3 : 0;
  return static_cast<unsigned>(std::clamp(clients, kLeast, kMost));
}

unsigned public_connections(const Settings& settings) { return settings.connections; }

std::string render_connection_shares(const Settings& settings) {
  const auto address = settings.address_connections;
  auto many_clients = settings.proxies;
  many_clients.insert(many_clients.end(), settings.trusted_proxies.begin(), settings.trusted_proxies.end());
  std::string rules(kConnectionShares);
  if (settings.proxy_protocol) rules += kProxiedShares;
  rules += kTooMany;
  return fmt::format(fmt::runtime(rules),
                     fmt::arg("proxies", many_clients.empty() ? "" : " " + join(many_clients, " ")),
                     fmt::arg("address_end", address + address / 10), fmt::arg("address", address),
                     fmt::arg("this_machine", settings.connections - settings.connections / 8),
                     fmt::arg("crowded", settings.connections - settings.connections / 4),
                     fmt::arg("address_when_crowded", std::max(1U, address / 10)));
}

std::string render_request_shares(const Settings& settings) {
  // Each request at an app takes a second descriptor. A second try is a request that is counted already.
  return fmt::format(kRequestShares, fmt::arg("requests", settings.connections / 2),
                     fmt::arg("second_try", kSecondTryListener));
}

std::string render_app_share(const Settings& settings, std::string_view other, std::string_view twice) {
  const auto of_both = twice.empty() ? "" : fmt::format("  http-request set-var(txn.twice) srv_conn({})\n", twice);
  return fmt::format(
      "{}  http-request set-var(txn.open) be_conn({}){}\n"
      "  http-request return status 503 errorfiles full if {{ be_conn,add(txn.open) gt {} }} !{{ so_id {} }}\n",
      of_both, other, twice.empty() ? "" : ",sub(txn.twice)", settings.app_connections, kSecondTryListener);
}

std::string render_share_tables(const Settings& settings) {
  constexpr std::string_view kTable =
      "\nbackend {} from usual\n  stick-table type {} size {} expire 10s store conn_cur\n";
  return fmt::format(kTable, "addresses", "ipv6", settings.connections + kReserve) +
         fmt::format(kTable, "this-machine", "string len 4", 1) + fmt::format(kTable, "requests", "string len 4", 1);
}

}  // namespace pushrod
