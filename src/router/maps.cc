// Renders the maps' entries.
#include "router/maps.hh"

#include <fmt/format.h>

#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "router/haproxy_config.hh"

namespace pushrod {

namespace {

constexpr Port kHttpPort = 80;
constexpr Port kHttpsPort = 443;

// The hosts that have a certificate.
class SecureHosts {
 public:
  SecureHosts(const Settings& settings, const RoutingTable& table) {
    if (!settings.https) return;
    for (const auto& certificate : table.certificates) hosts_.insert(certificate.host);
  }
  bool contains(const HostName& host) const {
    const auto wildcard = wildcard_of(host);
    return hosts_.contains(host) || (wildcard && hosts_.contains(*wildcard));
  }

 private:
  std::set<HostName> hosts_;
};

std::string redirect_prefix(const Settings& settings, const SecureHosts& secure, const HostName& host) {
  const bool is_secure = secure.contains(host);
  const auto port = is_secure ? settings.https->port : settings.http.port;
  const bool is_usual = port == (is_secure ? kHttpsPort : kHttpPort);
  return fmt::format("{}://{}{}", is_secure ? "https" : "http", host.str(), is_usual ? "" : fmt::format(":{}", port));
}

std::string value_of(const Settings& settings, const SecureHosts& secure, const RoutedApp& app, const Route& route) {
  const auto& prefix = route.point.prefix;
  const bool strips = route.strip_prefix && !prefix.empty();
  auto value = fmt::format("{}|{}|{}|{}|{}|{}", routed_name(app.app), secure.contains(route.point.host) ? "https" : "",
                           strips ? std::to_string(prefix.segments()) : "", strips ? prefix.str() : "",
                           route.redirect_to ? redirect_prefix(settings, secure, *route.redirect_to) : "",
                           route.hsts ? std::to_string(route.hsts->count()) : "");
  value.resize(value.find_last_not_of('|') + 1);
  return value;
}

}  // namespace

MapEntries host_entries(const Settings& settings, const RoutingTable& table) {
  const SecureHosts secure(settings, table);
  MapEntries entries;
  std::map<std::string, const AppName*> owners;
  for (const auto& app : table.apps) {
    for (const auto& route : app.routes) {
      const auto key = route.point.str() + "/";
      const auto [owner, is_new] = owners.emplace(key, &app.app);
      if (!is_new && *owner->second != app.app) {
        throw Error(
            fmt::format("{} belongs to two apps: {} and {}", route.point.str(), owner->second->str(), app.app.str()));
      }
      entries.emplace(key, value_of(settings, secure, app, route));
    }
  }
  return entries;
}

MapEntries http_entries(const RoutingTable& table) {
  MapEntries entries;
  for (const auto& app : table.apps) {
    const auto& rules = app.http;
    std::string flags;
    if (rules.keep_underscores) flags += '_';
    if (!rules.compress) flags += 'n';
    if (!rules.headers.empty()) flags += 'h';
    if (!rules.redirects.empty()) flags += 'r';
    const auto text = [](const auto& value) { return value ? std::to_string(*value) : std::string{}; };
    const auto milliseconds = [](const auto& value) { return value ? std::to_string(value->count()) : std::string{}; };
    const auto lines = render_rules(rules);
    const auto value =
        fmt::format("{}|{}|{}|{}|{}", text(rules.max_body), milliseconds(rules.timeout),
                    milliseconds(rules.idle_timeout), flags, lines.empty() ? std::string{} : own_file(lines));
    if (value != "||||") entries.emplace(routed_name(app.app), value);
  }
  return entries;
}

MapEntries error_entries(const RoutingTable& table) {
  MapEntries entries;
  for (const auto& app : table.apps) {
    for (const auto& [status, page] : app.http.pages) {
      entries.emplace(fmt::format("{}/{}", routed_name(app.app), status), own_file(page));
    }
    if (const auto access = render_access(app); !access.empty()) {
      entries.emplace(routed_name(app.app) + "/access", own_file(access));
    }
  }
  return entries;
}

std::string render_rules(const HttpRules& rules) {
  std::string text;
  for (const auto& [name, value] : rules.headers) text += fmt::format("header\t{}\t{}\n", name, value);
  for (const auto& redirect : rules.redirects) {
    text += fmt::format("redirect\t{}\t{}\t{}\n", redirect.status, redirect.from, redirect.to);
  }
  return text;
}

std::string render_access(const RoutedApp& app) {
  const auto& rules = app.access;
  if (rules == AccessRules{}) return {};
  std::string text = fmt::format("app\t{}\n", app.app.str());
  for (const auto& network : rules.networks) text += fmt::format("network\t{}\n", network);
  for (const auto& user : rules.users) text += fmt::format("user\t{}\t{}\t{}\n", user.name, user.salt, user.hash);
  if (rules.rate) text += fmt::format("rate\t{}\n", *rules.rate);
  if (!rules.login_secret.empty()) text += fmt::format("login\t{}\n", rules.login_secret);
  for (const auto key : rules.login_keys) text += fmt::format("key\t{}\n", key);
  return text;
}

std::string own_file(std::string_view content) { return fmt::format("pages/own.{:016x}", fingerprint(content)); }

std::string mode_of(const RoutedApp& app) {
  switch (app.mode) {
    case TrafficMode::Serve:
      return {};
    case TrafficMode::Stopped:
      return "stopped";
    case TrafficMode::Maintenance:
      return app.page.empty() ? "maintenance" : own_file(app.page);
    case TrafficMode::Hold:
      return "hold";
    case TrafficMode::Asleep:
      return "asleep";
  }
  throw Error("an app is in no mode");
}

MapEntries mode_entries(const RoutingTable& table) {
  MapEntries entries;
  for (const auto& app : table.apps) {
    if (auto mode = mode_of(app); !mode.empty()) entries.emplace(routed_name(app.app), std::move(mode));
  }
  return entries;
}

std::string render_map(const MapEntries& entries) {
  std::string text;
  for (const auto& [key, value] : entries) text += fmt::format("{} {}\n", key, value);
  return text;
}

MapEntries parse_map(std::string_view text) {
  MapEntries entries;
  for (const auto& line : lines_of(text)) {
    const auto words = split(line, ' ');
    if (words.size() == 2) entries.emplace(words[0], words[1]);
  }
  return entries;
}

}  // namespace pushrod
