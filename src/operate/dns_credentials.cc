#include "operate/dns_credentials.hh"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "certificates/lego.hh"
#include "config/dotenv.hh"
#include "deploy/certificates.hh"
#include "deploy/control.hh"
#include "operate/audit.hh"

namespace pushrod {

namespace {

constexpr const char* kLegoPage = "https://go-acme.github.io/lego/dns/";

std::string shown_zone(const std::string& zone) { return zone.empty() ? "all zones" : zone; }

void check_zone(const std::string& zone) {
  if (zone.empty() || !HostName::parse(zone).is_wildcard()) return;
  throw UserError(fmt::format("{} is not a zone", quoted(zone)), fmt::format("write it as {}", zone.substr(2)));
}

std::set<std::string> known_variables(const std::string& provider) {
  const bool is_name = !provider.empty() && provider.size() <= 60 &&
                       provider.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == provider.npos;
  if (!find_program("lego")) throw UserError("lego, which obtains certificates, is not installed", "apt install lego");
  const auto variables = is_name ? variables_of_dns_provider(provider) : std::nullopt;
  if (!variables) {
    throw UserError(fmt::format("lego does not know a DNS provider named {}", quoted(provider)),
                    fmt::format("take one of the codes in {}", kLegoPage));
  }
  if (variables->empty()) {  // "exec", "manual"
    throw UserError(fmt::format("{} does not name a DNS provider", quoted(provider)),
                    "it would run a program on this machine or ask a person; take httpreq for a server of your own");
  }
  return *variables;
}

bool names_a_file(const std::string& variable) {
  return variable.ends_with("_FILE") || variable.ends_with("_PATH") || variable.ends_with("_EDGERC");
}

void check_variable(const Session& session, const std::string& provider, const std::set<std::string>& known,
                    const std::string& name) {
  if (!known.contains(name)) {
    throw UserError(fmt::format("{} has no variable named {}", provider, name),
                    fmt::format("it has {}; see {}{}", join({known.begin(), known.end()}, ", "), kLegoPage, provider));
  }
  if (names_a_file(name) && session.caller().is_remote()) {
    throw UserError(fmt::format("{} names a file on the server, which cannot be done over SSH", name),
                    "give the credentials themselves, or set it on the server with the program pushrod");
  }
}

DnsCredentialsView view_of(Session& session, const DnsCredentials& one) {
  DnsCredentialsView view{one.zone, one.provider, {}, one.added};
  const auto opened = session.store().vault().open_dns(one.zone, one.provider, one.sealed);
  for (const auto& [name, value] : parse_dotenv(opened.reveal(), "the credentials"))
    view.variables.push_back(name.str());
  return view;
}

// What has failed for lack of them need not wait.
void order_again(Session& session, const std::string& zone) {
  for (const auto& state : acme_states(session.platform(), now())) {
    const auto& host = state.want.host;
    const bool is_in_zone = zone.empty() || host.str().ends_with("." + zone);
    if (host.is_wildcard() && is_in_zone && !state.error.empty()) session.store().request_certificate(host);
  }
}

}  // namespace

Json to_json(const DnsCredentialsView& view) {
  return {{"zone", text_or_null(view.zone)},
          {"provider", view.provider},
          {"variables", view.variables},
          {"added", iso_time(view.added)}};
}

DnsCredentialsView set_dns_credentials(Session& session, const std::string& zone, const std::string& provider,
                                       const std::string& variables) {
  session.require_admin();
  check_zone(zone);
  const auto known = known_variables(provider);
  const auto entries = parse_dotenv(variables, "the credentials");
  if (entries.empty()) {
    throw UserError("there are no credentials in it", fmt::format("give NAME=value lines; {} has {}", provider,
                                                                  join({known.begin(), known.end()}, ", ")));
  }
  for (const auto& [name, value] : entries) check_variable(session, provider, known, name.str());
  DnsCredentials credentials{zone, provider, session.store().vault().seal_dns(zone, provider, render_dotenv(entries)),
                             now()};
  audited(session, {"", "cert dns set", fmt::format("{} for {}", provider, shown_zone(zone))}, [&] {
    session.store().set_dns_credentials(credentials);
    order_again(session, zone);
  });
  wake_daemon(session.platform());
  return view_of(session, credentials);
}

std::vector<DnsCredentialsView> list_dns_credentials(Session& session) {
  session.require_admin();
  std::vector<DnsCredentialsView> views;
  for (const auto& one : session.store().dns_credentials()) views.push_back(view_of(session, one));
  return views;
}

void remove_dns_credentials(Session& session, const std::string& zone) {
  session.require_admin();
  const auto all = session.store().dns_credentials();
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.zone == zone; });
  if (found == all.end()) {
    throw UserError(fmt::format("there are no credentials of a DNS provider for {}", shown_zone(zone)),
                    "list them: pushrod cert dns list");
  }
  audited(session, {"", "cert dns remove", fmt::format("{} for {}", found->provider, shown_zone(zone))},
          [&] { session.store().remove_dns_credentials(zone); });
}

}  // namespace pushrod
