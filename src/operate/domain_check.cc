#include "operate/domain_check.hh"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/traffic.hh"
#include "fetch/fetch.hh"
#include "model/acme.hh"
#include "os/command.hh"

namespace pushrod {

namespace {

using State = DnsAnswer::State;

// RFC 1918, RFC 6598, RFC 4193: not what others reach.
bool is_private(const std::string& address) {
  const auto parts = split(address, '.');
  if (parts.size() != 4) return address.starts_with("fc") || address.starts_with("fd");
  const auto second = parse_unsigned(parts[1]).value_or(0);
  return parts[0] == "10" || (parts[0] == "172" && second >= 16 && second < 32) ||
         (parts[0] == "192" && second == 168) || (parts[0] == "100" && second >= 64 && second < 128);
}

std::string shown(const std::vector<std::string>& addresses) {
  return addresses.empty() ? "none" : join(addresses, ", ");
}

std::string record_to_set(const DomainFacts& facts) {
  for (const auto& address : facts.own) {
    if (is_private(address)) continue;
    return fmt::format("set {} {} {} at your DNS provider", facts.host.unicode(),
                       address.find(':') == address.npos ? "A" : "AAAA", address);
  }
  return fmt::format("point {} to this server's public address at your DNS provider (A or AAAA)", facts.host.unicode());
}

void check_addresses(const DomainFacts& facts, std::vector<DomainProblem>& problems) {
  auto addresses = facts.v4.records;
  addresses.insert(addresses.end(), facts.v6.records.begin(), facts.v6.records.end());
  const auto& name = facts.host.unicode();
  if (addresses.empty()) {
    if (facts.v4.state == State::Failed && facts.v6.state == State::Failed) {
      problems.push_back({"DNS does not answer", "try again; see /etc/resolv.conf on the server"});
    } else if (facts.v4.state == State::NoSuchName) {
      problems.push_back({fmt::format("{} does not exist in DNS", name), record_to_set(facts)});
    } else {
      problems.push_back({fmt::format("{} has no address in DNS", name), record_to_set(facts)});
    }
    return;
  }
  const auto is_own = [&](const std::string& address) {
    return std::find(facts.own.begin(), facts.own.end(), address) != facts.own.end();
  };
  std::vector<std::string> foreign;
  std::copy_if(addresses.begin(), addresses.end(), std::back_inserter(foreign),
               [&](const std::string& address) { return !is_own(address); });
  if (foreign.empty()) return;
  // Behind NAT the machine does not know the address that others reach.
  const bool may_be_nat = std::all_of(facts.own.begin(), facts.own.end(), is_private);
  problems.push_back({fmt::format("DNS leads {} to {}; this server has {}", name, shown(foreign), shown(facts.own)),
                      may_be_nat
                          ? "if that is the address of your router or load balancer, forward ports 80 and 443 here"
                          : record_to_set(facts) + "; remove records that lead elsewhere"});
}

void check_caa(const DomainFacts& facts, std::vector<DomainProblem>& problems) {
  bool names_one = false, allows = false;
  for (const auto& record : facts.caa.records) {
    if (!record.starts_with("issue ")) continue;
    names_one = true;
    allows = allows || record.find("letsencrypt.org") != record.npos;
  }
  if (!names_one || allows) return;
  problems.push_back(
      {fmt::format("CAA records allow only other CAs than Let's Encrypt: {}", escaped(shown(facts.caa.records))),
       "add: CAA 0 issue \"letsencrypt.org\", if you want its certificates"});
}

std::string shown_answer(const PortAnswer& answer) {
  return answer.server.empty() ? fmt::format("status {}", answer.status)
                               : fmt::format("{}, status {}", answer.server, answer.status);
}

// From here: a network may keep a server from its own public address.
void check_port_80(const DomainFacts& facts, std::vector<DomainProblem>& problems) {
  for (const auto& answer : facts.answers) {
    if (answer.status == 0) {
      problems.push_back(
          {fmt::format("nothing answers at {} port 80, as seen from this server: {}", answer.address, answer.error),
           facts.http_port == 80
               ? "open port 80 in the firewalls of this server and its network"
               : fmt::format("set [http] listen = \"*:80\" in server.toml, or forward port 80 to port {}",
                             facts.http_port)});
    } else if (answer.is_ours == false) {
      problems.push_back({fmt::format("another server answers at {} port 80: {}", answer.address, shown_answer(answer)),
                          "stop that server, or make it pass requests for this host on to Pushrod"});
    }
  }
}

// With [acme], the router answers this path itself, for every host and in every mode; the words are its script's.
constexpr const char* kOwnPath = "/.well-known/acme-challenge/pushrod-check";
constexpr std::string_view kOwnWords = "No certificate is being obtained with this challenge.";

PortAnswer ask_port_80(const Settings& settings, const std::string& host, const std::string& address) {
  const auto path = settings.acme ? kOwnPath : "/";
  auto fetched = fetch({.url = fmt::format("http://{}{}", host, path), .address = address});
  PortAnswer answer{address, fetched.status, escaped(fetched.headers["server"], 60), std::move(fetched.error), {}};
  if (settings.acme && answer.status != 0) answer.is_ours = trim(fetched.body) == kOwnWords;
  return answer;
}

// Whose domain it is, as far as the caller may see.
std::string app_of(Session& session, const HostName& host) {
  const auto routes = routes_of_apps(session.platform());
  for (const auto& app : session.visible_apps()) {
    const auto found = routes.find(app.id);
    if (found == routes.end()) continue;
    for (const auto& route : found->second) {
      if (route.point.host.covers(host) || host == route.point.host) return app.name.str();
    }
  }
  return {};
}

}  // namespace

Json to_json(const DomainCheck& check) {
  const auto& facts = check.facts;
  auto problems = Json::array();
  for (const auto& problem : check.problems)
    problems.push_back({{"problem", problem.text}, {"remedy", problem.remedy}});
  auto answers = Json::array();
  for (const auto& answer : facts.answers) {
    answers.push_back({{"address", answer.address},
                       {"status", answer.status == 0 ? Json() : Json(answer.status)},
                       {"server", text_or_null(answer.server)},
                       {"error", text_or_null(answer.error)},
                       {"pushrod", answer.is_ours ? Json(*answer.is_ours) : Json()}});
  }
  return {{"host", facts.host.str()},       {"app", text_or_null(facts.app)}, {"a", facts.v4.records},
          {"aaaa", facts.v6.records},       {"caa", facts.caa.records},       {"addresses", facts.own},
          {"certificate", facts.is_secure}, {"port80", std::move(answers)},   {"ok", check.problems.empty()},
          {"problems", std::move(problems)}};
}

std::vector<DomainProblem> problems_of(const DomainFacts& facts) {
  std::vector<DomainProblem> problems;
  if (facts.app.empty()) {
    problems.push_back({fmt::format("{} leads to no app", facts.host.unicode()),
                        fmt::format("pushrod domain add APP {}", facts.host.unicode())});
  }
  check_addresses(facts, problems);
  check_port_80(facts, problems);
  check_caa(facts, problems);
  return problems;
}

bool is_worth_checking(const HostName& host) { return host.is_wildcard() || !why_not_certifiable(host, true, true); }

DomainCheck check_domain(Session& session, const HostName& host) {
  DomainFacts facts{
      host, {}, {}, {}, own_addresses(), app_of(session, host), has_certificate(session.platform(), host)};
  if (facts.app.empty()) session.require_admin();
  const auto name = host.is_wildcard() ? "pushrod-check" + host.str().substr(1) : host.str();
  facts.v4 = ask_dns(name, DnsType::A);
  // What does not answer once does not answer thrice.
  if (facts.v4.state != State::Failed) {
    facts.v6 = ask_dns(name, DnsType::AAAA);
    facts.caa = ask_dns(host.is_wildcard() ? host.str().substr(2) : host.str(), DnsType::CAA);
  }
  facts.http_port = session.settings().http.port;
  auto addresses = facts.v4.records;
  addresses.insert(addresses.end(), facts.v6.records.begin(), facts.v6.records.end());
  if (!find_program("curl")) addresses.clear();
  for (const auto& address : addresses) facts.answers.push_back(ask_port_80(session.settings(), name, address));
  auto problems = problems_of(facts);
  return {std::move(facts), std::move(problems)};
}

}  // namespace pushrod
