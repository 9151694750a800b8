#include "operate/certificates.hh"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "certificates/files.hh"
#include "certificates/openssl.hh"
#include "deploy/traffic.hh"
#include "operate/audit.hh"

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
  const auto lifetime = certificate.not_after - certificate.not_before;
  return {certificate, std::move(users.apps), certificate.not_after - now() < lifetime / 4};
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
          {"apps", view.apps}};
}

std::vector<CertificateView> list_certificates(Session& session) {
  std::vector<CertificateView> views;
  for (const auto& certificate : session.store().certificates()) {
    auto users = users_of(session, certificate.host);
    if (users.may_see) views.push_back(view_of(certificate, std::move(users)));
  }
  return views;
}

CertificateView certificate_of(Session& session, const HostName& host) {
  const auto certificate = session.store().certificate(host);
  auto users = users_of(session, host);
  if (!certificate || !users.may_see) throw no_certificate(host);
  return view_of(*certificate, std::move(users));
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
    install_pair(session.layout(), host, pair);
    session.store().set_certificate(certificate);
    publish_routes(session.platform());
  });
  return {view_of(certificate, users_of(session, host)), distrust_of(pair)};
}

void remove_certificate(Session& session, const HostName& host) {
  const auto users = users_of(session, host);
  if (!users.may_see || !session.store().certificate(host)) throw no_certificate(host);
  if (!users.may_change) {
    throw UserError(
        fmt::format("only administrators of this machine may remove the certificate of {}", host.unicode()));
  }
  audited(session, {"", "cert remove", host.unicode()}, [&] {
    remove_pair(session.layout(), host);
    session.store().remove_certificate(host);
    publish_routes(session.platform());
  });
}

}  // namespace pushrod
