#include "deploy/certificates.hh"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "certificates/files.hh"
#include "certificates/lego.hh"
#include "certificates/openssl.hh"
#include "config/dotenv.hh"
#include "deploy/renewal_info.hh"
#include "deploy/traffic.hh"
#include "os/command.hh"
#include "os/file_lock.hh"

namespace pushrod {

namespace {

constexpr std::chrono::hours kLook{6};
constexpr std::chrono::minutes kLookForLego{1};
constexpr std::chrono::hours kWarnAgain{24};

void say(const HostName& host, const std::string& text) {
  fmt::print(stderr, "certificate of {}: {}\n", host.unicode(), text);
}

std::set<HostName> hosts_of_apps(const Platform& platform) {
  std::set<HostName> hosts;
  for (const auto& [app, routes] : routes_of_apps(platform)) {
    for (const auto& route : routes) hosts.insert(route.point.host);
  }
  return hosts;
}

// A CA certifies a wildcard only by a record in DNS; for other hosts it asks the router.
std::optional<DnsProvider> dns_provider_of(const Platform& platform, const HostName& host) {
  if (!host.is_wildcard()) return std::nullopt;
  const auto all = platform.store.dns_credentials();
  const auto* const found = credentials_for(all, host);
  if (found == nullptr) return std::nullopt;
  DnsProvider provider{found->provider, {}};
  const auto opened = platform.store.vault().open_dns(found->zone, found->provider, found->sealed);
  for (auto& [name, value] : parse_dotenv(opened.reveal(), "credentials of " + found->provider)) {
    provider.variables.emplace(name.str(), std::move(value));
  }
  return provider;
}

// Needs certificates_lock. Not while routes are being published: those have read the list of files.
bool settle_files(const Platform& platform) {
  const auto lock = FileLock::acquire(platform.layout.traffic_lock());
  return settle_pairs(platform.layout, platform.store.certificates());
}

}  // namespace

bool install_certificate(const Platform& platform, const PemPair& pair, const Certificate& certificate,
                         const std::function<void()>& together_with) {
  const auto lock = FileLock::acquire(platform.layout.certificates_lock());
  const auto known = platform.store.certificate(certificate.host);
  if (certificate.source == CertificateSource::Acme && known && known->source == CertificateSource::Operator) {
    return false;
  }
  stage_pair(platform.layout, certificate, pair);
  platform.store.together([&] {
    platform.store.set_certificate(certificate);
    if (together_with) together_with();
  });
  settle_files(platform);
  return true;
}

void uninstall_certificate(const Platform& platform, const Certificate& certificate) {
  const auto lock = FileLock::acquire(platform.layout.certificates_lock());
  const auto known = platform.store.certificate(certificate.host);
  if (known && known->fingerprint == certificate.fingerprint) platform.store.remove_certificate(certificate.host);
  settle_files(platform);
}

std::vector<AcmeState> acme_states(const Platform& platform, WallTime now) {
  std::vector<AcmeState> states;
  const auto& acme = platform.settings.acme;
  if (!acme || !platform.settings.https) return states;
  std::map<HostName, Certificate> of_ca;
  std::set<HostName> of_operator;
  for (auto& certificate : platform.store.certificates()) {
    const auto host = certificate.host;
    if (certificate.source == CertificateSource::Operator) of_operator.insert(host);
    if (certificate.source == CertificateSource::Acme) of_ca.emplace(host, std::move(certificate));
  }
  const auto orders = platform.store.acme_orders();
  const auto requests = platform.store.acme_requests();
  const auto credentials = platform.store.dns_credentials();
  const auto why_not = [&](const HostName& host) {
    return why_not_certifiable(host, acme->is_lets_encrypt(), credentials_for(credentials, host) != nullptr);
  };
  auto hosts = hosts_of_apps(platform);
  // One for all apps' own addresses, where that can be had.
  const auto of_platform = HostName::parse("*." + platform.settings.domain);
  if (!hosts.empty() && !why_not(of_platform)) hosts.insert(of_platform);
  const auto last_error = [&](const HostName& host) {
    const auto last =
        std::find_if(orders.rbegin(), orders.rend(), [&](const AcmeOrder& order) { return order.host == host; });
    return last == orders.rend() ? std::string() : last->error;
  };
  // By the certificate of a wildcard. While that one cannot be had, the host gets one of its own.
  const auto is_covered = [&](const HostName& host, const HostName& wildcard) {
    if (!hosts.contains(wildcard) || why_not(wildcard)) return false;
    const auto found = of_ca.find(wildcard);
    if (found != of_ca.end()) return found->second.not_after > now;
    return !of_ca.contains(host) && last_error(wildcard).empty();
  };
  for (const auto& host : hosts) {
    const auto wildcard = wildcard_of(host);
    if (of_operator.contains(host) || (wildcard && of_operator.contains(*wildcard))) continue;
    if (wildcard && is_covered(host, *wildcard)) continue;
    AcmeState state{{host, {}, requests.contains(host)}, {}, {}, why_not(host)};
    // All apps' own addresses lack one there; it is no news.
    if (state.why_not && host.str().ends_with("." + platform.settings.domain)) continue;
    if (const auto found = of_ca.find(host); found != of_ca.end()) {
      state.want.certificate = found->second;
      state.want.window = renewal_window(platform.layout, found->second);
    }
    state.next = next_order(state.want, orders, acme->is_lets_encrypt(), now);
    state.error = last_error(host);
    states.push_back(std::move(state));
  }
  return states;
}

std::map<HostName, std::string> certificate_warnings(const Platform& platform, WallTime now) {
  std::map<HostName, std::string> warnings;
  for (const auto& state : acme_states(platform, now)) {
    if (state.error.empty() || state.why_not) continue;
    warnings.emplace(state.want.host,
                     fmt::format("{}: {}", state.want.certificate ? "renewal failed" : "no certificate", state.error));
  }
  for (const auto& certificate : platform.store.certificates()) {
    if (!expires_soon(certificate, now)) continue;
    auto& text = warnings[certificate.host];
    text = fmt::format("CERTIFICATE {} {} UTC{}", certificate.not_after < now ? "EXPIRED ON" : "EXPIRES ON",
                       format_time(certificate.not_after), text.empty() ? "" : "; " + text);
  }
  return warnings;
}

WallTime CertificateKeeper::pass(WallTime now) {
  finish_changes();
  warn(now);
  platform_.store.drop_acme_orders(now - kAcmeOrderCounts);
  if (!platform_.settings.acme) return now + kLook;
  const auto ask_again = ask_about_renewals(now);
  auto states = acme_states(platform_, now);
  remove_unused(states, now);
  std::erase_if(states, [](const AcmeState& state) { return state.why_not.has_value(); });
  const auto first = std::min_element(states.begin(), states.end(),
                                      [](const AcmeState& a, const AcmeState& b) { return a.next.at < b.next.at; });
  if (first == states.end()) return now + kLook;
  if (first->next.at > now) return std::min({first->next.at, ask_again, now + kLook});
  const bool lacks_lego = !find_program("lego");
  if (lacks_lego && !lacks_lego_) say(first->want.host, "lego is not installed, which obtains it; apt install lego");
  lacks_lego_ = lacks_lego;
  if (lacks_lego) return now + kLookForLego;
  order(*first);
  return now;
}

WallTime CertificateKeeper::ask_about_renewals(WallTime now) {
  auto certificates = platform_.store.certificates();
  std::erase_if(certificates, [](const Certificate& one) { return one.source != CertificateSource::Acme; });
  return ask_for_renewals(platform_, certificates, now);
}

// Those whose process was killed.
void CertificateKeeper::finish_changes() {
  const auto lock = FileLock::acquire(platform_.layout.certificates_lock());
  if (settle_files(platform_)) publish_routes(platform_);
}

void CertificateKeeper::order(const AcmeState& state) {
  const auto& host = state.want.host;
  const auto id = platform_.store.begin_acme_order(host, state.want.certificate.has_value());
  LegoResult result;
  try {
    result = order_certificate(platform_.layout, *platform_.settings.acme, host, dns_provider_of(platform_, host));
  } catch (const UserError& error) {  // the credentials cannot be opened
    result.failure.error = error.message();
  }
  std::string obtained;
  bool is_ended = false;
  const auto end = [&] {
    platform_.store.end_acme_order(id, result.failure.error, result.failure.not_before);
    is_ended = true;
  };
  if (result.pair) {
    try {
      const auto certificate = check_pair(*result.pair, host, CertificateSource::Acme, now());
      obtained = fmt::format("obtained, until {} UTC", format_time(certificate.not_after));
      // Together: the end of an order drops what was asked for, which must not be a renewal of what it has obtained.
      if (!install_certificate(platform_, *result.pair, certificate, end))
        obtained = "obtained, but one was given meanwhile";
    } catch (const UserError& error) {
      result.failure.error = "the CA's certificate is of no use: " + error.message();
    }
  }
  if (!is_ended) end();
  say(host, result.failure.error.empty() ? obtained : "not obtained: " + result.failure.error);
  publish_routes(platform_);
}

// Of hosts that no longer lead to an app; one that comes back within two thirds of the lifetime finds its own.
void CertificateKeeper::remove_unused(const std::vector<AcmeState>& states, WallTime now) {
  for (const auto& certificate : platform_.store.certificates()) {
    if (certificate.source != CertificateSource::Acme || due_time(certificate) > now) continue;
    const auto is_wanted = [&](const AcmeState& state) { return state.want.host == certificate.host; };
    if (std::any_of(states.begin(), states.end(), is_wanted)) continue;
    uninstall_certificate(platform_, certificate);
    publish_routes(platform_);
    say(certificate.host, "removed, since no app has the host");
  }
}

void CertificateKeeper::warn(WallTime now) {
  for (const auto& certificate : platform_.store.certificates()) {
    if (!expires_soon(certificate, now)) continue;
    auto& last = warned_[certificate.host];
    if (last + kWarnAgain > now && last <= now) continue;
    last = now;
    say(certificate.host, fmt::format("WARNING: it expires on {} UTC; pushrod cert show {}",
                                      format_time(certificate.not_after), certificate.host.unicode()));
  }
}

}  // namespace pushrod
