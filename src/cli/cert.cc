// cert add, list, show, remove, renew: the certificates that the router shows.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/input.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/certificates.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLongestInput = std::size_t{256} << 10;

struct CertWords {
  std::string host, file = "-";
  bool json = false;
};

std::string until(const CertificateView& view) {
  return fmt::format("{} UTC{}", format_time(view.certificate.not_after), view.is_due ? "  EXPIRES SOON" : "");
}

int add(Context& context, const CertWords& words) {
  const auto host = HostName::parse(words.host);
  require_certificate_right(context, host);  // before a certificate is read from standard input
  const auto pem = read_input(context, words.file,
                              {"a certificate with its key", "cert add HOST < certificate-and-key.pem", kLongestInput});
  const auto added = add_certificate(context, host, pem);
  print(fmt::format("https://{} has this certificate until {}.\n", host.unicode(), until(added.view)));
  if (!added.distrust.empty()) {
    print(fmt::format("Warning: clients may not trust it ({}). Is the chain complete?\n", added.distrust));
  }
  return kExitOk;
}

int list(Context& context, const CertWords& words) {
  auto values = Json::array();
  Table table({"HOST", "VALID UNTIL", "SOURCE", "ISSUER", "APPS", "STATE"});
  const auto all = all_certificates(context);
  for (const auto& view : all.there) {
    values.push_back(to_json(view));
    table.add({view.certificate.host.unicode(), until(view), std::string(to_string(view.certificate.source)),
               escaped(view.certificate.issuer), view.apps.empty() ? "-" : join(view.apps, ", "),
               view.state.empty() ? "-" : view.state});
  }
  for (const auto& awaited : all.awaited) {
    values.push_back(to_json(awaited));
    table.add({awaited.host.unicode(), "-", "acme", "-", awaited.apps.empty() ? "-" : join(awaited.apps, ", "),
               awaited.state});
  }
  if (words.json) {
    print_json(values);
  } else {
    print(table.is_empty() ? "There are no certificates.\n" : table.str());
  }
  return kExitOk;
}

int show(Context& context, const CertWords& words) {
  const auto host = HostName::parse(words.host);
  for (const auto& awaited : awaited_certificates(context)) {
    if (awaited.host != host) continue;
    if (words.json) {
      print_json(to_json(awaited));
    } else {
      print(fmt::format("{} has no certificate yet\n  state        {}\n", host.unicode(), awaited.state));
    }
    return kExitOk;
  }
  const auto view = certificate_of(context, host);
  if (words.json) {
    print_json(to_json(view));
    return kExitOk;
  }
  const auto& certificate = view.certificate;
  print(
      fmt::format("{}\n  names        {}\n  issuer       {}\n  valid        {} UTC to {}\n  source       {}\n"
                  "  serial       {}\n  fingerprint  {}\n  apps         {}\n",
                  certificate.host.unicode(), escaped(join(certificate.names, ", ")), escaped(certificate.issuer),
                  format_time(certificate.not_before), until(view), to_string(certificate.source), certificate.serial,
                  certificate.fingerprint, view.apps.empty() ? "-" : join(view.apps, ", ")));
  if (!view.state.empty()) print(fmt::format("  state        {}\n", view.state));
  return kExitOk;
}

int remove(Context& context, const CertWords& words) {
  const auto host = HostName::parse(words.host);
  remove_certificate(context, host);
  print(fmt::format("The certificate of {} is removed; it no longer answers over https.\n", host.unicode()));
  for (const auto& awaited : awaited_certificates(context)) {
    if (awaited.host == host) print(fmt::format("A new one: {}\n", awaited.state));
  }
  return kExitOk;
}

int renew(Context& context, const CertWords& words) {
  const auto host = HostName::parse(words.host);
  renew_certificate(context, host);
  print(fmt::format("Pushrod obtains a certificate for {} now. How it went: cert show {}\n", host.unicode(),
                    host.unicode()));
  return kExitOk;
}

}  // namespace

void add_cert_verbs(Grammar& grammar) {
  const auto words = std::make_shared<CertWords>();
  grammar.describe_group("cert", "the certificates that clients see");
  grammar
      .verb("cert", "add", "show your own certificate for a host: the chain and the key, in PEM",
            [words](Context& context) { return add(context, *words); })
      .needs("HOST", words->host, "the host, or a wildcard")
      .takes("FILE", words->file, "a file; -, the default, reads standard input");
  grammar.verb("cert", "list", "all certificates", [words](Context& context) { return list(context, *words); })
      .json(words->json);
  grammar.verb("cert", "show", "one certificate", [words](Context& context) { return show(context, *words); })
      .needs("HOST", words->host, "the host")
      .json(words->json);
  grammar
      .verb("cert", "remove", "stop showing it, and delete it with its key",
            [words](Context& context) { return remove(context, *words); })
      .needs("HOST", words->host, "the host");
  grammar
      .verb("cert", "renew", "obtain a new certificate from the CA now, before it is due or after a failure",
            [words](Context& context) { return renew(context, *words); })
      .needs("HOST", words->host, "the host");
}

}  // namespace pushrod
