#include "operate/certificates.hh"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "certificates/openssl.hh"
#include "deploy/certificates.hh"
#include "deploy/control.hh"
#include "deploy/traffic.hh"
#include "operate/audit.hh"
#include "os/command.hh"

namespace pushrod {

namespace {

// HAProxy takes a certificate at run time in one buffer of 16 kB.
constexpr std::size_t kLongestPem = 15'000;

struct Users {
  std::vector<std::string> apps;  // that the caller may see, and whose hosts it is shown for
  bool may_see = false, may_change = false;
};

Users users_of(Session& session, const HostName& host) {
  Users users;
  const bool is_administrator = !session.caller().key || session.caller().key->is_admin();
  users.may_see = users.may_change = is_administrator;
  const auto routes = routes_of_apps(session.platform());
  for (const auto& app : session.visible_apps()) {
    const auto of_app = routes.find(app.id);
    if (of_app == routes.end()) continue;
    const auto is_shown = [&](const Route& route) { return host.covers(route.point.host); };
    if (std::none_of(of_app->second.begin(), of_app->second.end(), is_shown)) continue;
    users.apps.push_back(app.name.str());
    users.may_see = true;
    const auto is_its = [&](const Route& route) { return route.point.host == host; };
    // Its own address comes first, and is the machine's.
    const bool has = std::any_of(of_app->second.begin() + 1, of_app->second.end(), is_its);
    users.may_change = users.may_change || (has && session.may(app.name, Right::Deploy));
  }
  return users;
}

CertificateView view_of(const Certificate& certificate, Users users) {
  return {certificate, std::move(users.apps), expires_soon(certificate, now()), {}};
}

// What becomes of the host's certificate, for people.
std::string shown_state(const AcmeState& state, WallTime time) {
  const std::string what = state.want.certificate ? "renewal" : "order";
  if (state.why_not) return "none: " + *state.why_not;
  if (state.next.at <= time) return state.want.certificate ? "renewal is due" : "is being obtained";
  if (state.error.empty() && state.want.certificate) return fmt::format("renewal {} UTC", format_time(state.next.at));
  return fmt::format("{} {}; next {} UTC", what,
                     state.error.empty() ? "waits: " + state.next.reason : "failed: " + state.error,
                     format_time(state.next.at));
}

std::map<HostName, std::string> shown_states(Session& session) {
  const auto time = now();
  std::map<HostName, std::string> states;
  for (const auto& state : acme_states(session.platform(), time)) {
    states.emplace(state.want.host, shown_state(state, time));
  }
  return states;
}

UserError no_certificate(const HostName& host) {
  return UserError(fmt::format("there is no certificate for {}", host.unicode()), "list them: pushrod cert list");
}

}  // namespace

Json to_json(const CertificateView& view) {
  const auto& certificate = view.certificate;
  return {{"host", certificate.host.str()},
          {"source", to_string(certificate.source)},
          {"names", certificate.names},
          {"issuer", certificate.issuer},
          {"serial", certificate.serial},
          {"fingerprint_sha256", certificate.fingerprint},
          {"not_before", iso_time(certificate.not_before)},
          {"not_after", iso_time(certificate.not_after)},
          {"added", iso_time(certificate.added)},
          {"due", view.is_due},
          {"state", view.state},
          {"apps", view.apps}};
}

Json to_json(const AwaitedCertificate& awaited) {
  return {{"host", awaited.host.str()},
          {"source", to_string(CertificateSource::Acme)},
          {"not_after", nullptr},
          {"state", awaited.state},
          {"apps", awaited.apps}};
}

std::vector<AwaitedCertificate> awaited_certificates(Session& session) {
  const auto time = now();
  std::vector<AwaitedCertificate> awaited;
  for (const auto& state : acme_states(session.platform(), time)) {
    if (state.want.certificate) continue;
    auto users = users_of(session, state.want.host);
    if (users.may_see) awaited.push_back({state.want.host, std::move(users.apps), shown_state(state, time)});
  }
  return awaited;
}

std::vector<CertificateView> list_certificates(Session& session) {
  const auto states = shown_states(session);
  std::vector<CertificateView> views;
  for (const auto& certificate : session.store().certificates()) {
    auto users = users_of(session, certificate.host);
    if (!users.may_see) continue;
    views.push_back(view_of(certificate, std::move(users)));
    if (const auto state = states.find(certificate.host); state != states.end()) views.back().state = state->second;
  }
  return views;
}

AllCertificates all_certificates(Session& session) {
  auto awaited = awaited_certificates(session);  // before the others: what was awaited and came is in both then
  AllCertificates all{list_certificates(session), {}};
  for (auto& one : awaited) {
    const auto is_it = [&](const CertificateView& view) { return view.certificate.host == one.host; };
    if (std::ranges::none_of(all.there, is_it)) all.awaited.push_back(std::move(one));
  }
  return all;
}

CertificateView certificate_of(Session& session, const HostName& host) {
  const auto certificate = session.store().certificate(host);
  auto users = users_of(session, host);
  if (!certificate || !users.may_see) throw no_certificate(host);
  auto view = view_of(*certificate, std::move(users));
  const auto states = shown_states(session);
  if (const auto state = states.find(host); state != states.end()) view.state = state->second;
  return view;
}

void require_certificate_right(Session& session, const HostName& host) {
  if (!session.settings().https) {
    throw UserError("the router does not listen for https, so it cannot show a certificate",
                    "add [https] with listen = \"*:443\" to server.toml, and restart Pushrod");
  }
  if (users_of(session, host).may_change) return;
  throw UserError(fmt::format("{} is not a domain of an app that your key may deploy", host.unicode()),
                  "add it first: pushrod domain add APP HOST; or ask an administrator of this machine");
}

AddedCertificate add_certificate(Session& session, const HostName& host, const std::string& pem) {
  require_certificate_right(session, host);
  const auto pair = parse_pem(pem);
  if (pair.text().size() > kLongestPem) {
    throw UserError(
        fmt::format("certificates and key have {}; the router takes at most 15 kB", format_bytes(pair.text().size())),
        "leave the CA's root out; ECDSA certificates are the shortest");
  }
  const auto certificate = check_pair(pair, host, CertificateSource::Operator, now());
  const auto detail = fmt::format("{}, until {} UTC", host.unicode(), format_time(certificate.not_after));
  audited(session, {"", "cert add", detail}, [&] {
    install_certificate(session.platform(), pair, certificate);
    publish_routes(session.platform());
  });
  return {view_of(certificate, users_of(session, host)), distrust_of(pair)};
}

void remove_certificate(Session& session, const HostName& host) {
  const auto users = users_of(session, host);
  const auto certificate = session.store().certificate(host);
  if (!users.may_see || !certificate) throw no_certificate(host);
  if (!users.may_change) {
    throw UserError(
        fmt::format("only administrators of this machine may remove the certificate of {}", host.unicode()));
  }
  audited(session, {"", "cert remove", host.unicode()}, [&] {
    uninstall_certificate(session.platform(), *certificate);
    publish_routes(session.platform());
  });
  wake_daemon(session.platform());
}

void renew_certificate(Session& session, const HostName& host) {
  require_certificate_right(session, host);
  const auto& acme = session.settings().acme;
  if (!acme) {
    throw UserError("Pushrod does not obtain certificates on this server",
                    "add [acme] with email and agree_tos = true to server.toml, and restart Pushrod (docs/domains.md)");
  }
  const auto known = session.store().certificate(host);
  if (known && known->source == CertificateSource::Operator) {
    throw UserError(
        fmt::format("the certificate of {} is one that you gave, which Pushrod does not replace", host.unicode()),
        fmt::format("give a new one with `cert add {0}`, or let Pushrod obtain one: cert remove {0}", host.unicode()));
  }
  const auto time = now();
  const auto states = acme_states(session.platform(), time);
  const auto state = std::find_if(states.begin(), states.end(), [&](const auto& one) { return one.want.host == host; });
  if (state == states.end()) {
    throw UserError(fmt::format("Pushrod obtains no certificate for {}", host.unicode()),
                    "it does for hosts of apps that have no other certificate; list them: pushrod domain list");
  }
  if (state->why_not) throw UserError(fmt::format("no certificate for {}: {}", host.unicode(), *state->why_not));
  if (!find_program("lego")) throw UserError("lego, which obtains certificates, is not installed", "apt install lego");
  const auto next =
      next_order({host, state->want.certificate, true}, session.store().acme_orders(), acme->is_lets_encrypt(), time);
  if (next.at > time) {
    throw UserError(
        fmt::format("{} cannot be ordered before {} UTC: {}", host.unicode(), format_time(next.at), next.reason),
        "Pushrod orders it then by itself, if it is due");
  }
  audited(session, {"", "cert renew", host.unicode()}, [&] { session.store().request_certificate(host); });
  wake_daemon(session.platform());
}

}  // namespace pushrod
