// domain add, remove, list: the hosts that lead to an app.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/certificates.hh"
#include "operate/domain_check.hh"
#include "operate/domains.hh"

namespace pushrod {

namespace {

struct DomainWords {
  std::string app, host, redirect_to;
  std::optional<std::string> hsts;
  std::vector<std::string> domains;
  bool strip_prefix = false, json = false;
};

std::vector<RoutePoint> points_of(const DomainWords& words, const char* usage) {
  if (words.domains.empty()) throw UsageError("missing HOST", fmt::format("usage: {}", usage));
  std::vector<RoutePoint> points;
  for (const auto& word : words.domains) {
    points.push_back(RoutePoint::parse(word));
    if (std::count(points.begin(), points.end(), points.back()) > 1) {
      throw UsageError(fmt::format("{} is given twice", word), "give each domain once");
    }
  }
  return points;
}

DomainOptions options_of(const DomainWords& words) {
  DomainOptions options{.strip_prefix = words.strip_prefix};
  if (!words.redirect_to.empty()) options.redirect_to = HostName::parse(words.redirect_to);
  if (!words.hsts) return options;
  const auto age = parse_duration(*words.hsts);
  if (!age || *age > std::chrono::hours{2 * 365 * 24} || age->count() % 1000 != 0) {
    throw UsageError(fmt::format("--hsts cannot be {}", quoted(*words.hsts)),
                     "give a duration of at most two years: 365d; 0 tells browsers to forget it");
  }
  options.hsts = std::chrono::duration_cast<std::chrono::seconds>(*age);
  return options;
}

std::string shown_options(const DomainView& view) {
  std::vector<std::string> texts;
  if (view.is_own) texts.emplace_back("own address");
  if (view.route.redirect_to) texts.push_back("redirects to " + view.route.redirect_to->unicode());
  if (view.route.strip_prefix) texts.emplace_back("strips the prefix");
  if (view.route.hsts) texts.push_back(fmt::format("HSTS {}", format_duration(*view.route.hsts)));
  if (!view.warning.empty()) texts.push_back(view.warning);
  return texts.empty() ? "-" : join(texts, ", ");
}

void print_problems(const DomainCheck& check, std::string_view before) {
  for (const auto& problem : check.problems) print(fmt::format("{}{}.\n  {}\n", before, problem.text, problem.remedy));
}

// The hosts lead to the app already; what keeps clients from finding them is not Pushrod's to refuse.
void warn_of_problems(Context& context, const std::vector<RoutePoint>& points) {
  std::set<HostName> hosts;
  for (const auto& point : points) {
    if (is_worth_checking(point.host)) hosts.insert(point.host);
  }
  for (const auto& host : hosts) print_problems(check_domain(context, host), "Warning: ");
}

int add(Context& context, const DomainWords& words) {
  const auto points = points_of(words, "domain add APP HOST[/PREFIX]…");
  for (const auto& view : add_domains(context, AppName::parse(words.app), points, options_of(words))) {
    print(view.route.redirect_to ? fmt::format("{} redirects to {}.\n", view.url, view.route.redirect_to->unicode())
                                 : fmt::format("{} leads to {}.\n", view.url, view.app.str()));
  }
  for (const auto& awaited : awaited_certificates(context)) {
    if (std::ranges::find(points, awaited.host, &RoutePoint::host) == points.end()) continue;
    print(fmt::format("Certificate of {}: {}\n", awaited.host.unicode(), awaited.state));
  }
  warn_of_problems(context, points);
  return kExitOk;
}

std::string shown(const PortAnswer& answer) {
  if (answer.status == 0) return answer.address + ": nothing answers";
  if (answer.is_ours == true) return answer.address + ": this router";
  return fmt::format("{}: {} (status {})", answer.address, answer.server.empty() ? "a server" : answer.server,
                     answer.status);
}

int remove(Context& context, const DomainWords& words) {
  const auto points = points_of(words, "domain remove APP HOST[/PREFIX]…");
  remove_domains(context, AppName::parse(words.app), points);
  for (const auto& point : points) print(fmt::format("{} no longer leads to {}.\n", point.unicode(), words.app));
  return kExitOk;
}

int list(Context& context, const DomainWords& words) {
  const auto app = words.app.empty() ? std::nullopt : std::optional(AppName::parse(words.app));
  auto values = Json::array();
  Table table({"APP", "DOMAIN", "ADDED (UTC)", "NOTE"});
  for (const auto& view : list_domains(context, app)) {
    values.push_back(to_json(view));
    table.add(
        {view.app.str(), view.route.point.unicode(), view.added ? format_time(*view.added) : "-", shown_options(view)});
  }
  if (words.json) {
    print_json(values);
  } else {
    print(table.is_empty() ? "There are no apps.\n" : table.str());
  }
  return kExitOk;
}

int check(Context& context, const DomainWords& words) {
  const auto check = check_domain(context, HostName::parse(words.host));
  const int code = check.problems.empty() ? kExitOk : kExitRequest;
  if (words.json) {
    print_json(to_json(check));
    return code;
  }
  const auto& facts = check.facts;
  const auto list = [](const std::vector<std::string>& records) { return records.empty() ? "-" : join(records, ", "); };
  std::vector<std::string> answers;
  for (const auto& answer : facts.answers) answers.push_back(shown(answer));
  print(fmt::format(
      "{}\n  app          {}\n  A            {}\n  AAAA         {}\n  CAA          {}\n  this server  {}\n"
      "  port 80      {}\n  certificate  {}\n",
      facts.host.unicode(), facts.app.empty() ? "-" : facts.app, list(facts.v4.records), list(facts.v6.records),
      escaped(list(facts.caa.records)), list(facts.own), list(answers), facts.is_secure ? "yes" : "no"));
  print_problems(check, "");
  if (check.problems.empty()) print("DNS leads here.\n");
  return code;
}

}  // namespace

void add_domain_verbs(Grammar& grammar) {
  const auto words = std::make_shared<DomainWords>();
  grammar.describe_group("domain", "the hosts that lead to an app");
  grammar
      .verb("domain", "add", "lead hosts to an app: www.example.com, example.com/shop, *.example.com",
            [words](Context& context) { return add(context, *words); })
      .app(words->app)
      .takes_all("HOST", words->domains, "a host, with or without a path")
      .option("--redirect-to", words->redirect_to, "send clients to this host instead (308)")
      .flag("--strip-prefix", words->strip_prefix, "the app gets paths without the prefix")
      .option("--hsts", words->hsts, "browsers use https alone for so long: 365d")
      .excludes("--redirect-to", "--strip-prefix");
  grammar
      .verb("domain", "remove", "hosts no longer lead to an app",
            [words](Context& context) { return remove(context, *words); })
      .app(words->app)
      .takes_all("HOST", words->domains, "a domain of the app");
  grammar
      .verb("domain", "check", "whether DNS leads a host to this server; exit code 1 if not",
            [words](Context& context) { return check(context, *words); })
      .needs("HOST", words->host, "the host")
      .json(words->json);
  grammar
      .verb("domain", "list", "the domains of an app, or of all apps",
            [words](Context& context) { return list(context, *words); })
      .takes("APP", words->app, "the app (default: all)")
      .json(words->json);
}

}  // namespace pushrod
