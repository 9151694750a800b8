#include "operate/domains.hh"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/certificates.hh"
#include "deploy/control.hh"
#include "deploy/traffic.hh"
#include "operate/audit.hh"

namespace pushrod {

namespace {

constexpr std::size_t kMostDomains = 1'000;  // of an app: the router takes some 100 bytes for each

Route route_of(const RoutePoint& point, const DomainOptions& options) {
  return {point, options.strip_prefix, options.redirect_to, options.hsts};
}

std::string names_of(const std::vector<RoutePoint>& points) {
  std::vector<std::string> names;
  for (const auto& point : points) names.push_back(point.unicode());
  return join(names, ", ");
}

// Names below [http] domain are the apps' own addresses, of those that are and of those that will be.
void refuse_own_addresses(const std::string& domain, const HostName& host) {
  const auto dot = host.str().find('.');
  if (dot == std::string::npos || host.str().substr(dot + 1) != domain) return;
  throw UserError(fmt::format("{} lies below {}, where each app has its own address", host.unicode(), domain),
                  fmt::format("use a name outside of {}, or rename the app: pushrod app rename", domain));
}

void check_options(const RoutePoint& point, const DomainOptions& options) {
  if (options.strip_prefix && point.prefix.empty()) {
    throw UserError(fmt::format("{} has no prefix to strip", point.unicode()),
                    fmt::format("write it with one, as in {}/shop, or leave --strip-prefix out", point.unicode()));
  }
  if (!options.redirect_to) return;
  if (options.redirect_to->is_wildcard()) {
    throw UserError(
        fmt::format("clients cannot be redirected to {}, which is not one host", options.redirect_to->unicode()),
        "name one host");
  }
  if (point.host.covers(*options.redirect_to) && point.prefix.empty()) {
    throw UserError(fmt::format("{} would be redirected to itself", options.redirect_to->unicode()),
                    "name another host");
  }
}

// The same point, a part of the same host, a wildcard that covers the host, or a host that a wildcard would cover: apps
// of one host share cookies, and a wildcard's certificate is shown for the hosts below it. What belongs to an app that
// the caller may not see is not told.
void refuse_hosts_of_others(Session& session, const App& app, const RoutePoint& point,
                            const std::vector<Domain>& domains) {
  for (const auto& domain : domains) {
    if (domain.app_id == app.id) continue;
    const auto& other = domain.route.point;
    const bool is_same = other == point;
    const bool overlaps = other.host.covers(point.host) || point.host.covers(other.host);
    // A key has one role for all its apps: it may deploy the other one, or not see it.
    const bool is_known = session.may(domain.app, Right::Deploy);
    if (is_same && is_known) {
      throw UserError(
          fmt::format("{} belongs to app {}", point.unicode(), domain.app.str()),
          fmt::format("remove it there first: pushrod domain remove {} {}", domain.app.str(), other.unicode()));
    }
    if (!overlaps || is_known) continue;
    const bool is_below = !other.host.covers(point.host);
    throw UserError(fmt::format("{} {} another app", is_same ? point.unicode() : point.host.unicode(),
                                is_below ? "covers a host of" : "belongs to"),
                    "use another host, or ask an administrator of this machine");
  }
}

const Domain* find(const std::vector<Domain>& domains, AppId app, const RoutePoint& point) {
  const auto found = std::find_if(domains.begin(), domains.end(), [&](const Domain& domain) {
    return domain.app_id == app && domain.route.point == point;
  });
  return found == domains.end() ? nullptr : &*found;
}

// A certificate of a CA for a wildcard takes a record in DNS.
void refuse_uncertifiable_wildcard(Session& session, const HostName& host) {
  const auto& acme = session.settings().acme;
  if (!host.is_wildcard() || !acme || !session.settings().https) return;
  const auto credentials = session.store().dns_credentials();
  if (credentials_for(credentials, host) != nullptr || why_not_certifiable(host, acme->is_lets_encrypt(), true)) return;
  const auto known = session.store().certificate(host);
  if (known && known->source == CertificateSource::Operator) return;
  throw UserError(
      fmt::format("a CA certifies {} only by DNS-01, and Pushrod has no credentials of its DNS provider",
                  host.unicode()),
      fmt::format("an administrator gives them (cert dns set PROVIDER < FILE) or your own certificate (cert add '{}' < "
                  "FILE); then add it again",
                  host.unicode()));
}

// In the transaction that adds them.
void check_all(Session& session, const App& app, const std::vector<Route>& routes) {
  const auto domains = session.store().domains();
  std::size_t changed = 0, added = 0;
  for (const auto& route : routes) {
    const auto* known = find(domains, app.id, route.point);
    if (known == nullptr) {
      refuse_hosts_of_others(session, app, route.point, domains);
      refuse_uncertifiable_wildcard(session, route.point.host);
    }
    added += known == nullptr ? 1 : 0;
    changed += known == nullptr || known->route != route ? 1 : 0;
  }
  if (changed == 0) {
    throw UserError(fmt::format("no change: {} already has {}", app.name.str(),
                                routes.size() == 1 ? routes.front().point.unicode() : "all of these domains"));
  }
  const auto had =
      std::count_if(domains.begin(), domains.end(), [&](const Domain& one) { return one.app_id == app.id; });
  if (static_cast<std::size_t>(had) + added > kMostDomains) {
    throw UserError(fmt::format("{} would have more than {} domains", app.name.str(), kMostDomains),
                    "use a wildcard (*.example.com), or remove some");
  }
}

std::string url_of_route(Session& session, const Route& route) {
  return url_of(session.platform(), route.point.host) + route.point.prefix.str();
}

}  // namespace

Json to_json(const DomainView& view) {
  const auto& route = view.route;
  return {{"app", view.app.str()},
          {"domain", route.point.str()},
          {"host", route.point.host.str()},
          {"host_unicode", route.point.host.unicode()},
          {"prefix", route.point.prefix.str()},
          {"own", view.is_own},
          {"strip_prefix", route.strip_prefix},
          {"redirect_to", route.redirect_to ? Json(route.redirect_to->str()) : Json(nullptr)},
          {"hsts_seconds", route.hsts ? Json(route.hsts->count()) : Json(nullptr)},
          {"url", view.url},
          {"warning", view.warning},
          {"added", view.added ? Json(iso_time(*view.added)) : Json(nullptr)}};
}

std::vector<DomainView> list_domains(Session& session, const std::optional<AppName>& app) {
  const auto apps = app ? std::vector{session.require_app(*app, Right::See)} : session.visible_apps();
  const auto domains = session.store().domains(apps.size() == 1 ? std::optional(apps.front().id) : std::nullopt);
  std::vector<DomainView> views;
  for (const auto& one : apps) {
    Route own{{HostName::of_app(one.name, session.settings().domain)}};
    const auto url = url_of_route(session, own);
    views.push_back({one.name, std::move(own), true, {}, url, {}});
    for (const auto& domain : domains) {
      if (domain.app_id != one.id) continue;
      views.push_back({one.name, domain.route, false, domain.added, url_of_route(session, domain.route), {}});
    }
  }
  const auto warnings = certificate_warnings(session.platform(), now());
  for (auto& view : views) {
    const auto& host = view.route.point.host;
    auto found = warnings.find(host);
    if (const auto wildcard = wildcard_of(host); found == warnings.end() && wildcard) found = warnings.find(*wildcard);
    if (found != warnings.end()) view.warning = found->second;
  }
  return views;
}

std::vector<DomainView> add_domains(Session& session, const AppName& name, const std::vector<RoutePoint>& points,
                                    const DomainOptions& options) {
  const auto app = session.require_app(name, Right::Deploy);
  std::vector<Route> routes;
  for (const auto& point : points) {
    refuse_own_addresses(session.settings().domain, point.host);
    check_options(point, options);
    routes.push_back(route_of(point, options));
  }
  check_all(session, app, routes);
  audited(session, {name.str(), "domain add", names_of(points)}, [&] {
    session.store().together([&] {
      check_all(session, app, routes);
      for (const auto& route : routes) session.store().set_domain(app.id, route);
    });
    publish_routes(session.platform());
  });
  wake_daemon(session.platform());
  std::vector<DomainView> views;
  for (const auto& domain : session.store().domains(app.id)) {
    if (std::find(points.begin(), points.end(), domain.route.point) == points.end()) continue;
    views.push_back({app.name, domain.route, false, domain.added, url_of_route(session, domain.route), {}});
  }
  return views;
}

void remove_domains(Session& session, const AppName& name, const std::vector<RoutePoint>& points) {
  const auto app = session.require_app(name, Right::Deploy);
  const auto domains = session.store().domains(app.id);
  for (const auto& point : points) {
    if (find(domains, app.id, point) != nullptr) continue;
    throw UserError(fmt::format("{} has no domain {}", name.str(), point.unicode()),
                    fmt::format("list them: pushrod domain list {}", name.str()));
  }
  audited(session, {name.str(), "domain remove", names_of(points)}, [&] {
    session.store().together([&] {
      for (const auto& point : points) session.store().remove_domain(app.id, point);
    });
    publish_routes(session.platform());
  });
}

}  // namespace pushrod
