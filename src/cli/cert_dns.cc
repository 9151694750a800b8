// cert dns set, list, remove: by which DNS provider a CA certifies wildcards.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/input.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/dns_credentials.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLongestInput = std::size_t{64} << 10;

struct DnsWords {
  std::string provider, file = "-", zone;
  bool json = false;
};

std::string shown_zone(const std::string& zone) { return zone.empty() ? "all zones" : zone; }

int set(Context& context, const DnsWords& words) {
  context.require_admin();  // before credentials are read from standard input
  const auto variables = read_text_input(
      context, words.file, {"credentials", "cert dns set PROVIDER < FILE, with NAME=value lines", kLongestInput});
  const auto view = set_dns_credentials(context, words.zone, words.provider, variables);
  print(fmt::format("Wildcards of {} get their certificates through {} ({}).\n", shown_zone(view.zone), view.provider,
                    join(view.variables, ", ")));
  if (!context.settings().acme) print("Without [acme] in server.toml, Pushrod obtains none (docs/domains.md).\n");
  return kExitOk;
}

int list(Context& context, const DnsWords& words) {
  auto values = Json::array();
  Table table({"ZONE", "PROVIDER", "VARIABLES", "SET (UTC)"});
  for (const auto& view : list_dns_credentials(context)) {
    values.push_back(to_json(view));
    table.add({shown_zone(view.zone), view.provider, join(view.variables, ", "), format_time(view.added)});
  }
  if (words.json) {
    print_json(values);
  } else {
    print(table.is_empty() ? "There are no credentials of DNS providers: pushrod cert dns set PROVIDER FILE\n"
                           : table.str());
  }
  return kExitOk;
}

int remove(Context& context, const DnsWords& words) {
  remove_dns_credentials(context, words.zone);
  print(fmt::format("The credentials for {} are removed. Certificates stay until they expire.\n",
                    shown_zone(words.zone)));
  return kExitOk;
}

}  // namespace

void add_cert_dns_verbs(Grammar& grammar) {
  const auto words = std::make_shared<DnsWords>();
  constexpr const char* kZone = "only for names of this zone, such as example.com (default: for all others)";
  grammar.describe_group("cert dns", "DNS providers, by which a CA certifies wildcards");
  grammar
      .verb("cert dns", "set", "give the credentials of your DNS provider",
            [words](Context& context) { return set(context, *words); })
      .needs("PROVIDER", words->provider, "as lego calls it, such as cloudflare: https://go-acme.github.io/lego/dns/")
      .takes("FILE", words->file, "a file of NAME=value lines; -, the default, reads standard input")
      .option("--zone", words->zone, kZone);
  grammar
      .verb("cert dns", "list", "which there are; no values are shown",
            [words](Context& context) { return list(context, *words); })
      .json(words->json);
  grammar.verb("cert dns", "remove", "forget them", [words](Context& context) { return remove(context, *words); })
      .option("--zone", words->zone, kZone);
}

}  // namespace pushrod
