#include "certificates/lego.hh"

#include <fmt/format.h>

#include "base/error.hh"
#include "base/redactor.hh"
#include "base/text.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLongestFile = std::size_t{256} << 10;
constexpr const char* kAccountFile = "account.json";
constexpr Milliseconds kHttpDeadline{300'000};
constexpr Milliseconds kDnsDeadline{1'200'000};  // some providers need minutes to show a record

bool is_whole(const fs::path& file, std::string_view sign_of_end) {
  const auto text = read_file(file, kLongestFile);
  return text && trim(*text).ends_with(sign_of_end);
}

// accounts/<CA>/<email>/: account.json, and keys/<email>.key. lego writes both in place. The CA knows an account by
// its key, so a new account.json is got for an old key, and a lost key is a new account.
void drop_half_written_accounts(const fs::path& accounts) {
  for (const auto& ca : list_directory(accounts)) {
    for (const auto& email : list_directory(accounts / ca)) {
      const auto account = accounts / ca / email;
      bool has_keys = true;
      for (const auto& key : list_directory(account / "keys")) {
        has_keys = has_keys && is_whole(account / "keys" / key, "PRIVATE KEY-----");
      }
      if (!has_keys) remove_tree(account);
      if (has_keys && !is_whole(account / kAccountFile, "}")) remove_file(account / kAccountFile);
    }
  }
}

// The CA has lost the account (a CA for tests does, at each start): the next order registers it again.
void forget_accounts(const fs::path& accounts) {
  for (const auto& ca : list_directory(accounts)) {
    for (const auto& email : list_directory(accounts / ca)) remove_file(accounts / ca / email / kAccountFile);
  }
}

// "2026/11/29 19:53:43 Could not …" → "Could not …"
std::string_view without_date(std::string_view line) {
  constexpr std::size_t kDate = 20;
  return line.size() > kDate && line[4] == '/' && line[7] == '/' && line[13] == ':' ? line.substr(kDate) : line;
}

// "[*.example.com] [*.example.com] acme: error presenting token: …" → "error presenting token: …"
std::string_view without_labels(std::string_view line) {
  constexpr std::string_view kAcme = "acme: ";
  while (line.starts_with('[')) {
    const auto end = line.find("] ");
    if (end == line.npos) break;
    line.remove_prefix(end + 2);
  }
  if (line.starts_with(kAcme)) line.remove_prefix(kAcme.size());
  return line;
}

// "400 :: urn:ietf:params:acme:error:connection :: no route to host, url: " → "connection: no route to host"
std::string in_words(std::string_view text) {
  constexpr std::string_view kKind = "urn:ietf:params:acme:error:";
  constexpr std::string_view kUrl = ", url:", kBetween = " :: ";
  if (const auto kind = text.find(kKind); kind != text.npos) text.remove_prefix(kind + kKind.size());
  if (const auto url = text.rfind(kUrl); url != text.npos) text = text.substr(0, url);
  std::string words(trim(text));
  if (const auto between = words.find(kBetween); between != words.npos) words.replace(between, kBetween.size(), ": ");
  return words;
}

}  // namespace

Command lego_command(const Layout& layout, const AcmeSettings& acme, const HostName& host,
                     const std::optional<DnsProvider>& dns) {
  Command command;
  command.argv = {"lego",
                  "--accept-tos",
                  "--email=" + acme.email,
                  "--server=" + acme.directory,
                  "--path=" + layout.acme().string(),
                  "--key-type=ec256"};
  command.deadline = kHttpDeadline;
  if (dns) {
    command.deadline = kDnsDeadline;
    command.argv.push_back("--dns=" + dns->name);
    for (const auto& resolver : acme.dns_resolvers) command.argv.push_back("--dns.resolvers=" + resolver);
    // These are asked in place of all of the domain's servers.
    if (!acme.dns_resolvers.empty()) command.argv.emplace_back("--dns.disable-cp");
    for (const auto& [name, value] : dns->variables) command.environment[name] = value.reveal();
  } else {
    command.argv.insert(command.argv.end(), {"--http", "--http.webroot=" + layout.challenges().string()});
  }
  command.argv.insert(command.argv.end(), {"--domains=" + host.str(), "run"});
  if (!acme.ca_file.empty()) command.environment["LEGO_CA_CERTIFICATES"] = acme.ca_file;
  command.merge_output = true;
  command.output_cap = std::size_t{1} << 20;
  command.confinement = {std::uint64_t{1} << 30, true};
  return command;
}

LegoFailure parse_lego_failure(std::string_view output) {
  constexpr std::string_view kError = "acme: error: ", kRetry = "retry after ";
  std::string_view of_ca, last;
  const auto lines = lines_of(output);
  for (const auto& line : lines) {
    const auto text = trim(without_date(line));
    if (text.empty() || text.starts_with("[INFO]")) continue;
    last = text;
    if (const auto at = text.find(kError); at != text.npos) of_ca = text.substr(at + kError.size());
  }
  LegoFailure failure{of_ca.empty() ? std::string(without_labels(last)) : in_words(of_ca)};
  if (failure.error.empty()) failure.error = "lego does not say why";
  if (const auto at = output.find(kRetry); at != output.npos) {
    // "2026-11-29 19:53:43 UTC" or "2026-11-29T19:53:43Z"
    constexpr std::size_t kTime = 19;
    failure.not_before = parse_time(output.substr(at + kRetry.size(), kTime));
  }
  failure.error = escaped(failure.error, 500);
  return failure;
}

void prepare_for_lego(const Layout& layout) {
  make_directory(layout.acme());
  drop_half_written_accounts(layout.acme() / "accounts");
  remove_tree(layout.acme() / "certificates");
  remove_tree(layout.challenges());
  make_directory(layout.challenges());
}

std::set<std::string> parse_provider_help(std::string_view output) {
  // `  - "CF_API_KEY":   API key`
  std::set<std::string> names;
  for (const auto& line : lines_of(output)) {
    constexpr std::string_view kBegin = "- \"";
    auto text = trim(line);
    if (!text.starts_with(kBegin)) continue;
    text.remove_prefix(kBegin.size());
    if (const auto end = text.find('"'); end != text.npos) names.emplace(text.substr(0, end));
  }
  return names;
}

std::optional<std::set<std::string>> variables_of_dns_provider(const std::string& name) {
  Command command;
  command.argv = {"lego", "dnshelp", "--code=" + name};
  command.confinement = {std::uint64_t{1} << 30, true};
  const auto result = run(command);
  if (!result.ok()) return std::nullopt;
  return parse_provider_help(result.out);
}

LegoResult order_certificate(const Layout& layout, const AcmeSettings& acme, const HostName& host,
                             const std::optional<DnsProvider>& dns) {
  prepare_for_lego(layout);
  auto result = run(lego_command(layout, acme, host, dns));
  remove_tree(layout.challenges());
  if (dns) {
    Redactor redactor;
    for (const auto& [name, value] : dns->variables) redactor.add(value);
    result.out = redactor.redact(std::move(result.out));
  }
  // lego writes "_.example.com" for a wildcard.
  const auto name = host.is_wildcard() ? "_" + host.str().substr(1) : host.str();
  const auto brought = layout.acme() / "certificates" / name;
  if (result.ok()) {
    const auto chain = read_file(brought.string() + ".crt", kLongestFile);
    const auto key = read_file(brought.string() + ".key", kLongestFile);
    remove_tree(layout.acme() / "certificates");
    if (!chain || !key) return {std::nullopt, {"lego left no certificate"}};
    try {
      return {parse_pem(*chain + *key)};
    } catch (const UserError& error) {
      return {std::nullopt, {"the CA's answer is not a certificate: " + error.message()}};
    }
  }
  if (result.end != CommandResult::End::Exited) return {std::nullopt, {"lego was " + result.describe()}};
  if (result.out.find("accountDoesNotExist") != result.out.npos) forget_accounts(layout.acme() / "accounts");
  return {std::nullopt, parse_lego_failure(result.out)};
}

}  // namespace pushrod
