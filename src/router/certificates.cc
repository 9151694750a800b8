// A new certificate in four steps, as management.txt has them (9.3): an empty one, its content, the commit, and its
// line in the list.
#include "router/certificates.hh"

#include <fmt/format.h>
#include <sys/random.h>

#include "base/decoded_text.hh"
#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

std::string ask(const MasterSocket& master, const std::string& command) {
  const auto answer = master.ask_current(command);
  if (!answer) throw Error("HAProxy ended while it was being changed");
  return *answer;
}

[[noreturn]] void refuse(const std::string& file, std::string_view answer) {
  Error error(fmt::format("HAProxy does not take the certificate {}", file));
  std::vector<std::string> evidence;
  for (const auto& line : lines_of(answer)) {
    if (!line.empty()) evidence.push_back(escaped(line));
  }
  error.set_evidence(std::move(evidence));
  throw error;
}

// What stands between the two texts; empty without them.
std::string_view between(std::string_view text, std::string_view before, std::string_view after) {
  const auto at = text.find(before);
  const auto begin = at == text.npos ? at : at + before.size();
  const auto end = at == text.npos ? at : text.find(after, begin);
  return end == text.npos ? std::string_view{} : text.substr(begin, end - begin);
}

// HAProxy has one transaction at a time; one that a killed process left is in the way. 2.6 takes the text for it, 3.0
// refuses the text; either names it.
void abort_other(const MasterSocket& master, std::string_view answer) {
  auto other = between(answer, "for certificate ", "!");
  if (other.empty()) other = between(answer, "transaction is about '", "'");
  if (!other.empty()) ask(master, fmt::format("abort ssl cert {}", other));
}

void add(const MasterSocket& master, const std::string& file, const std::string& pem, const std::string& host) {
  ask(master, "new ssl cert " + file);
  // The text ends with a newline, and an empty line ends what is sent.
  const auto set = fmt::format("set ssl cert {} <<\n{}\n", file, pem);
  auto answer = ask(master, set);
  if (answer.find(fmt::format("for certificate {}!", file)) == answer.npos) {
    abort_other(master, answer);
    answer = ask(master, set);
  }
  const auto committed = ask(master, "commit ssl cert " + file);
  if (committed.find("Success!") == committed.npos) {
    ask(master, "abort ssl cert " + file);
    refuse(file, answer + committed);
  }
  const auto listed = ask(master, fmt::format("add ssl crt-list {} <<\n{} {}\n", kCertificateList, file, host));
  if (listed.find("Success!") == listed.npos) refuse(file, listed);
}

constexpr std::size_t kTicketKey = 48;  // bytes
constexpr std::size_t kTicketKeyCount = 3;

std::string new_ticket_key() {
  std::string bytes(kTicketKey, '\0');
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) throw_errno("get random bytes");
  return base64_within(bytes, 0, false);  // 48 bytes are 64 characters, without padding
}

void write_ticket_keys(const std::filesystem::path& directory, const std::vector<std::string>& keys) {
  write_file(directory / kTicketKeys, join(keys, "\n") + "\n", 0600, false);
}

std::vector<std::string> ticket_keys(const std::filesystem::path& directory) {
  auto keys = lines_of(read_file(directory / kTicketKeys).value_or(""));
  while (keys.size() < kTicketKeyCount) keys.push_back(new_ticket_key());
  return keys;
}

}  // namespace

CertificateFiles certificate_files(const RoutingTable& table) {
  CertificateFiles files;
  for (const auto& certificate : table.certificates) {
    files.emplace(fmt::format("{}/{}.{}.pem", kCertificateDirectory, certificate.file.stem().string(), certificate.id),
                  CertificateFile{certificate.host.str(), certificate.file});
  }
  return files;
}

std::string render_certificate_list(const CertificateFiles& files) {
  std::string text;
  for (const auto& [name, file] : files) text += fmt::format("{} {}\n", name, file.host);
  return text;
}

MapEntries parse_certificate_list(std::string_view answer) {
  MapEntries known;
  for (const auto& line : lines_of(answer)) {
    if (!line.starts_with(fmt::format("{}/", kCertificateDirectory))) continue;
    const auto words = split(line, ' ');
    known.emplace(words.front(), words.size() > 1 ? words[1] : "");
  }
  return known;
}

void install_certificates(const std::filesystem::path& directory, const CertificateFiles& files) {
  make_directory(directory / kCertificateDirectory);
  for (const auto& [name, file] : files) {
    if (std::error_code ignored; std::filesystem::exists(directory / name, ignored)) continue;
    const auto pem = read_file(file.source);
    if (!pem) throw Error(fmt::format("the certificate {} is gone", file.source.string()), "try again");
    write_file(directory / name, *pem, 0600, false);
  }
  const auto list = render_certificate_list(files);
  if (read_file(directory / kCertificateList) != list) write_file(directory / kCertificateList, list, 0600, false);
}

void remove_old_certificates(const std::filesystem::path& directory, const CertificateFiles& files) {
  for (const auto& name : list_directory(directory / kCertificateDirectory)) {
    const auto file = fmt::format("{}/{}", kCertificateDirectory, name);
    if (!files.contains(file)) remove_file(directory / file);
  }
}

void add_certificates(const MasterSocket& master, const std::filesystem::path& directory, const CertificateFiles& files,
                      const MapEntries& known) {
  for (const auto& [name, file] : files) {
    if (known.contains(name)) continue;
    add(master, name, read_file(directory / name).value_or(""), file.host);
  }
}

std::vector<std::string> certificate_removals(const CertificateFiles& files, const MapEntries& known) {
  std::vector<std::string> commands;
  for (const auto& [name, host] : known) {
    if (files.contains(name)) continue;
    commands.push_back(fmt::format("del ssl crt-list {} {}", kCertificateList, name));
    commands.push_back(fmt::format("del ssl cert {}", name));
  }
  return commands;
}

void install_ticket_keys(const std::filesystem::path& directory) {
  if (!read_file(directory / kTicketKeys)) write_ticket_keys(directory, ticket_keys(directory));
}

std::string rotate_ticket_keys(const std::filesystem::path& directory) {
  auto keys = ticket_keys(directory);
  keys.erase(keys.begin());
  keys.push_back(new_ticket_key());
  write_ticket_keys(directory, keys);
  return keys.back();
}

}  // namespace pushrod
