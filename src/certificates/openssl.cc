// openssl(1): x509, pkey and verify. Certificates and keys go through standard input and memory, never through files.
#include "certificates/openssl.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/decoded_text.hh"
#include "base/error.hh"
#include "base/text.hh"
#include "os/command.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

Command openssl(std::vector<std::string> words, std::string input = {}) {
  Command command;
  command.argv = {"openssl"};
  command.argv.insert(command.argv.end(), words.begin(), words.end());
  command.input = std::move(input);
  command.deadline = Milliseconds{10'000};
  command.output_cap = std::size_t{1} << 20;
  command.confinement = {std::uint64_t{64} << 20, true};
  return command;
}

// A text under a path that a child can read.
class MemoryFile {
 public:
  explicit MemoryFile(const std::string& text) : fd_(memfd_create("pem", 0)) {
    if (!fd_) throw_errno("make a file in memory");
    write_all(fd_.get(), text, "write to a file in memory");
  }
  int fd() const { return fd_.get(); }
  std::string path() const { return fmt::format("/proc/self/fd/{}", fd_.get()); }

 private:
  UniqueFd fd_;
};

// Whether `trusted` certifies `certificate`: signature, names and uses, not dates.
bool certifies(const std::string& trusted, const std::string& certificate) {
  const MemoryFile issuer(trusted), subject(certificate);
  auto command = openssl({"verify", "-partial_chain", "-no_check_time", "-no-CApath", "-no-CAfile", "-no-CAstore",
                          "-trusted", issuer.path(), subject.path()});
  command.inherit = {issuer.fd(), subject.fd()};
  return run(command).ok();
}

std::string public_key_of_certificate(const std::string& certificate) {
  const auto result = run(openssl({"x509", "-noout", "-pubkey"}, certificate));
  if (!result.ok()) {
    throw UserError("OpenSSL cannot read the certificate", "give the file as your CA made it, in PEM");
  }
  return result.out;
}

void check_key(const PemPair& pair) {
  const auto key = run(openssl({"pkey", "-pubout", "-passin", "pass:"}, pair.key));
  if (!key.ok()) throw UserError("OpenSSL cannot read the private key", "give it in PEM, without a passphrase");
  if (key.out == public_key_of_certificate(pair.chain.front())) return;
  for (std::size_t at = 1; at < pair.chain.size(); ++at) {
    if (key.out != public_key_of_certificate(pair.chain[at])) continue;
    throw UserError("the certificates are in the wrong order", "the host's own one comes first, then its issuer's");
  }
  throw UserError("the private key is not that of the certificate", "give the two that belong together");
}

void check_chain(const PemPair& pair) {
  for (std::size_t at = 0; at + 1 < pair.chain.size(); ++at) {
    if (certifies(pair.chain[at + 1], pair.chain[at])) continue;
    throw UserError(fmt::format("certificate {} of the chain was not issued by certificate {}", at + 1, at + 2),
                    "the host's own one comes first, then its issuer's, and so on; leave others out");
  }
}

std::string field(std::string_view text, std::string_view name) {
  for (const auto& line : lines_of(text)) {
    if (line.starts_with(name)) return std::string(trim(std::string_view(line).substr(name.size())));
  }
  throw Error(fmt::format("openssl x509 does not tell {}", quoted(name)));
}

WallTime time_field(std::string_view text, std::string_view name) {
  const auto value = field(text, name);
  const auto time = parse_time(value);
  if (!time) throw Error(fmt::format("openssl x509 tells a time of another form: {}", quoted(value)));
  return *time;
}

// "DNS:www.example.com, DNS:example.com, IP Address:192.0.2.1" → the DNS names.
std::vector<std::string> dns_names(std::string_view text) {
  constexpr std::string_view kDns = "DNS:";
  std::vector<std::string> names;
  for (const auto& line : lines_of(text)) {
    for (const auto& part : split(line, ',')) {
      const auto name = trim(part);
      if (name.starts_with(kDns)) names.emplace_back(name.substr(kDns.size()));
    }
  }
  return names;
}

bool is_valid_for(const std::string& name, const HostName& host) {
  try {
    return HostName::parse(name).covers(host);
  } catch (const UserError&) {
    return false;
  }
}

// Absent unless it consists of whole bytes, one at least.
std::optional<std::string> bytes_of_hex(std::string_view digits) {
  if (digits.empty() || digits.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (; !digits.empty(); digits.remove_prefix(2)) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + 2, value, 16);
    if (error != std::errc() || end != digits.data() + 2) return std::nullopt;
    bytes += static_cast<char>(value);
  }
  return bytes;
}

// Without padding (RFC 4648, 5).
std::string base64_for_urls(std::string bytes) {
  const auto length = (bytes.size() * 8 + 5) / 6;
  bytes.append(3, '\0');
  return base64_within(bytes, 0, true).substr(0, length);
}

}  // namespace

Certificate parse_certificate_text(std::string_view text, const HostName& host) {
  auto fingerprint = field(text, "sha256 Fingerprint=");
  std::erase(fingerprint, ':');
  return {.host = host,
          .names = dns_names(text),
          .issuer = field(text, "issuer="),
          .serial = field(text, "serial="),
          .fingerprint = std::move(fingerprint),
          .not_before = time_field(text, "notBefore="),
          .not_after = time_field(text, "notAfter="),
          .added = {}};
}

Certificate check_pair(const PemPair& pair, const HostName& host, CertificateSource source, WallTime now) {
  check_key(pair);
  const auto result =
      run(openssl({"x509", "-noout", "-issuer", "-serial", "-dates", "-dateopt", "iso_8601", "-fingerprint", "-sha256",
                   "-ext", "subjectAltName", "-nameopt", "RFC2253,-esc_msb,utf8"},
                  pair.chain.front()));
  if (!result.ok()) throw UserError("OpenSSL cannot read the certificate", "give it in PEM");
  auto certificate = parse_certificate_text(result.out, host);
  certificate.source = source;
  certificate.added = now;
  const auto covers = [&](const std::string& name) { return is_valid_for(name, host); };
  if (std::none_of(certificate.names.begin(), certificate.names.end(), covers)) {
    throw UserError(fmt::format("the certificate is not valid for {}: it names {}", host.unicode(),
                                certificate.names.empty() ? "no host" : escaped(join(certificate.names, ", "), 300)),
                    "give one that names it");
  }
  if (certificate.not_after <= now) {
    throw UserError(fmt::format("the certificate expired on {} UTC", format_time(certificate.not_after)),
                    "give one that is valid now");
  }
  if (certificate.not_before > now + Milliseconds{24 * 3'600'000}) {
    throw UserError(fmt::format("the certificate is not valid before {} UTC", format_time(certificate.not_before)),
                    "give one that is valid now");
  }
  check_chain(pair);
  return certificate;
}

std::optional<std::string> renewal_id(const std::string& certificate) {
  const auto result = run(openssl({"x509", "-noout", "-serial", "-ext", "authorityKeyIdentifier"}, certificate));
  return result.ok() ? parse_renewal_id(result.out) : std::nullopt;
}

std::optional<std::string> parse_renewal_id(std::string_view text) {
  const auto lines = lines_of(text);
  const auto title = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("Authority Key Identifier") != line.npos;
  });
  if (title == lines.end() || title + 1 == lines.end()) return std::nullopt;
  // "keyid:5A:F3:…", before OpenSSL 3.2 with "keyid:"
  auto identifier = std::string(trim(*(title + 1)));
  if (identifier.starts_with("keyid:")) identifier.erase(0, 6);
  std::erase(identifier, ':');
  const auto key = bytes_of_hex(identifier);
  auto serial = bytes_of_hex(field(text, "serial="));
  if (!key || !serial) return std::nullopt;
  // A DER integer whose first bit is set would be negative.
  if ((static_cast<unsigned char>(serial->front()) & 0x80U) != 0) serial->insert(0, 1, '\0');
  return base64_for_urls(*key) + "." + base64_for_urls(*serial);
}

std::string distrust_of(const PemPair& pair) {
  std::string rest;
  for (std::size_t at = 1; at < pair.chain.size(); ++at) rest += pair.chain[at];
  const MemoryFile leaf(pair.chain.front()), others(rest.empty() ? pair.chain.front() : rest);
  auto command = openssl({"verify", "-no_check_time", "-untrusted", others.path(), leaf.path()});
  command.inherit = {leaf.fd(), others.fd()};
  const auto result = run(command);
  if (result.ok()) return {};
  // "error 20 at 0 depth lookup: unable to get local issuer certificate"
  for (const auto& line : lines_of(result.out + result.err)) {
    constexpr std::string_view kLookup = " lookup: ";
    if (const auto at = line.find(kLookup); at != line.npos) return escaped(line.substr(at + kLookup.size()));
  }
  return "its issuer is not known";
}

}  // namespace pushrod
