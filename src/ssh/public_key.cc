// A pasted SSH public key, checked down to the blob, so that sshd reads in it exactly what we read.
// Its text is what render_authorized_keys writes.
#include "ssh/public_key.hh"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/error.hh"
#include "base/text.hh"
#include "ssh/key_blob.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLongestText = 16'384;  // an RSA key of 16384 bits has 2,800
constexpr std::string_view kGiveInstead = "give one line such as the content of ~/.ssh/id_ed25519.pub";

[[noreturn]] void refuse(const std::string& problem, std::string_view hint = kGiveInstead) {
  throw UserError("not a public key: " + problem, std::string(hint));
}

// What people paste by mistake. Nothing of a private key may be shown.
void refuse_other_formats(std::string_view text) {
  const auto holds = [&](std::string_view part) { return text.find(part) != std::string_view::npos; };
  if (holds("PRIVATE KEY-----")) {
    refuse("this is a private key, which must stay with its owner", "give the file beside it that ends in .pub");
  }
  if (text.starts_with("PuTTY-User-Key-File")) {
    refuse("this is a private key of PuTTY, which must stay with its owner",
           "open it in PuTTYgen and give what it shows as \"Public key for pasting\"");
  }
  if (text.starts_with("---- BEGIN SSH2 PUBLIC KEY")) {
    refuse("this is the SSH2 format", "turn it into OpenSSH's with: ssh-keygen -i -f FILE");
  }
  if (text.starts_with("-----BEGIN")) {
    refuse("this is a PEM file", "turn it into OpenSSH's format with: ssh-keygen -i -m PKCS8 -f FILE");
  }
}

std::string_view without_last_newline(std::string_view text) {
  if (text.ends_with("\r\n")) return text.substr(0, text.size() - 2);
  if (text.ends_with('\n')) return text.substr(0, text.size() - 1);
  return text;
}

void check_one_line(std::string_view line) {
  if (trim(line).empty()) refuse("the text is empty");
  if (line.find('\n') != std::string_view::npos)
    refuse("there are several lines", "give one key at a time, on one line");
  const auto is_control = [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; };
  if (std::any_of(line.begin(), line.end(), is_control)) refuse("it contains a control character: " + quoted(line, 60));
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return words;
    const std::size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
}

void refuse_unknown_type(const std::vector<std::string_view>& words) {
  const std::string_view type = words.front();
  if (type.ends_with("-cert-v01@openssh.com")) {
    refuse("this is a certificate", "give the public key that it was made for (the .pub file without -cert)");
  }
  if (type == "ssh-dss") refuse("DSA keys are no longer accepted by OpenSSH", "make a new key: ssh-keygen -t ed25519");
  const bool type_follows =
      std::any_of(words.begin() + 1, words.end(), [](std::string_view word) { return is_key_type(word); });
  if (type_follows) {
    refuse(fmt::format("there is something in front of the key type: {}", quoted(type, 60)),
           "options are not taken over: give the key alone, beginning with its type");
  }
  if (words.size() == 1 && (type.find('/') != std::string_view::npos || type.ends_with(".pub"))) {
    refuse(fmt::format("{} looks like the name of a file", quoted(type, 60)), "give the content of the file");
  }
  if (type.starts_with("AAAA")) refuse("the key type is missing", "give the whole line, beginning with the type");
  refuse(fmt::format("unknown key type {}", quoted(type, 60)));
}

std::string decode_base64(std::string_view text) {
  std::string blob(text.size(), '\0');
  std::size_t length = 0;
  const char* end = nullptr;
  const int result = sodium_base642bin(reinterpret_cast<unsigned char*>(blob.data()), blob.size(), text.data(),
                                       text.size(), nullptr, &length, &end, sodium_base64_VARIANT_ORIGINAL);
  if (result != 0 || end != text.data() + text.size()) {
    refuse("its base64 part is broken (cut off?)", "copy the whole line, without line breaks");
  }
  blob.resize(length);
  return blob;
}

std::string fingerprint_of(std::string_view blob) {
  constexpr std::size_t kEncoded =
      sodium_base64_ENCODED_LEN(crypto_hash_sha256_BYTES, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  std::array<char, kEncoded> encoded{};
  if (crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(blob.data()), blob.size()) != 0) {
    throw Error("SHA-256 failed");
  }
  sodium_bin2base64(encoded.data(), encoded.size(), hash.data(), hash.size(),
                    sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
  return fmt::format("SHA256:{}", encoded.data());
}

}  // namespace

PublicKey parse_public_key(const std::string& text) {
  if (sodium_init() < 0) throw Error("libsodium cannot be initialised");
  if (text.size() > kLongestText) refuse(fmt::format("the text is {} long", format_bytes(text.size())));
  refuse_other_formats(trim(text));
  const std::string_view line = without_last_newline(text);
  check_one_line(line);

  const std::vector<std::string_view> words = words_of(line);
  if (!is_key_type(words.front())) refuse_unknown_type(words);
  const std::string_view type = words.front();
  if (words.size() < 2) refuse(fmt::format("nothing follows the type {}", quoted(type)));
  for (std::size_t at = 2; at < words.size(); ++at) {
    if (is_key_type(words[at])) refuse("there are two keys", "give one key at a time");
  }
  const std::string blob = decode_base64(words[1]);
  if (const auto problem = problem_of_blob(type, blob)) refuse(problem->message, problem->hint);
  return {fmt::format("{} {}", type, words[1]), fingerprint_of(blob)};
}

}  // namespace pushrod
