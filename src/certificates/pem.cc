#include "certificates/pem.hh"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.hh"
#include "base/text.hh"

namespace pushrod {

namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kDashes = "-----";
constexpr std::size_t kMostCertificates = 10;

[[noreturn]] void refuse(const std::string& problem, const std::string& remedy) { throw UserError(problem, remedy); }

struct Block {
  std::string label, text;
};

bool is_content(std::string_view line) {
  return !line.empty() && std::all_of(line.begin(), line.end(), [](char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || character == '+' || character == '/' || character == '=';
  });
}

std::vector<Block> blocks_of(std::string_view text) {
  std::vector<Block> blocks;
  std::optional<Block> open;
  for (const auto& raw : lines_of(text)) {
    const auto line = trim(raw);
    if (!open) {
      if (line.starts_with(kBegin) && line.ends_with(kDashes) && line.size() > kBegin.size() + kDashes.size()) {
        open = Block{std::string(line.substr(kBegin.size(), line.size() - kBegin.size() - kDashes.size())),
                     std::string(line) + "\n"};
      }
    } else if (line == fmt::format("-----END {}-----", open->label)) {
      open->text += std::string(line) + "\n";
      blocks.push_back(*std::move(open));
      open.reset();
    } else if (line.starts_with("Proc-Type:") || line.starts_with("DEK-Info:")) {
      refuse("the private key is encrypted", "give it without a passphrase: openssl pkey -in KEY_FILE");
    } else if (is_content(line)) {
      open->text += std::string(line) + "\n";
    } else {
      refuse("this is not PEM: a block has a line that is not base64", "give the files as your CA made them");
    }
  }
  if (open) refuse(fmt::format("the last block ({}) has no end", quoted(open->label)), "give the whole file");
  return blocks;
}

}  // namespace

std::string PemPair::text() const {
  std::string text;
  for (const auto& certificate : chain) text += certificate;
  return text + key;
}

PemPair parse_pem(std::string_view text) {
  PemPair pair;
  for (auto& block : blocks_of(text)) {
    if (block.label == "CERTIFICATE" || block.label == "X509 CERTIFICATE" || block.label == "TRUSTED CERTIFICATE") {
      pair.chain.push_back(std::move(block.text));
    } else if (block.label == "ENCRYPTED PRIVATE KEY") {
      refuse("the private key is encrypted", "give it without a passphrase: openssl pkey -in KEY_FILE");
    } else if (block.label.ends_with("PRIVATE KEY")) {
      if (!pair.key.empty()) refuse("there are two private keys", "give only that of the certificate");
      pair.key = std::move(block.text);
    } else if (block.label != "EC PARAMETERS" && block.label != "DH PARAMETERS") {
      refuse(fmt::format("there is a block {}", quoted(block.label)), "give the certificates and the private key");
    }
  }
  constexpr const char* kGive = "give both, as in: cat fullchain.pem privkey.pem | ssh … cert add HOST";
  if (pair.chain.empty() && pair.key.empty()) refuse("there is no certificate and no private key in PEM", kGive);
  if (pair.chain.empty()) refuse("the certificate is missing", kGive);
  if (pair.key.empty()) refuse("the private key is missing", kGive);
  if (pair.chain.size() > kMostCertificates) {
    refuse(fmt::format("there are {} certificates", pair.chain.size()),
           "give the host's own one and those between it and the CA's root");
  }
  return pair;
}

}  // namespace pushrod
