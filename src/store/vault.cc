// The vault, on libsodium.
// Sealed: the nonce, then the ciphertext with its tag.
#include "store/vault.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::size_t kKeyLength = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kNonceLength = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagLength = crypto_aead_xchacha20poly1305_ietf_ABYTES;

unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* bytes(const std::string& text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// One of several processes that make it at the same time wins: link() never replaces.
void make_key(const std::filesystem::path& file) {
  std::string key(kKeyLength, '\0');
  randombytes_buf(key.data(), key.size());
  const std::filesystem::path temporary = fmt::format("{}.{}", file.native(), getpid());
  write_file(temporary, key, 0600, true);
  sodium_memzero(key.data(), key.size());
  const bool made = link(temporary.c_str(), file.c_str()) == 0 || errno == EEXIST;
  const int reason = errno;
  remove_file(temporary);
  errno = reason;
  if (!made) throw_errno("making " + file.native());
  flush_file_system(file.parent_path());
}

Secret read_key(const std::filesystem::path& file) {
  if (sodium_init() < 0) throw Error("libsodium cannot be used on this machine");
  auto key = read_file(file, kKeyLength);
  if (!key) {
    make_key(file);
    key = read_file(file, kKeyLength);
  }
  if (!key || key->size() != kKeyLength) {
    throw UserError(fmt::format("{} is not a key of Pushrod: it must have {} bytes", quoted(file.native()), kKeyLength),
                    "restore it from a backup; without it the settings of all apps must be set again");
  }
  return Secret(std::move(*key));
}

std::string context_of(AppId app, const SettingName& name) { return fmt::format("{}:{}", app, name.str()); }
// No setting has such a name.
std::string context_of_deploy_key(AppId app) { return fmt::format("{}:deploy key", app); }
std::string context_of_access(AppId app) { return fmt::format("{}:access rules", app); }
std::string context_of_command(AppId app) { return fmt::format("{}:command of a job", app); }
std::string context_of_service(const ServiceName& name) { return fmt::format("password of service {}", name.str()); }

std::string context_of_target(const std::string& target) { return "backup target " + target; }
std::string context_of_dns(const std::string& zone, const std::string& provider) {
  return fmt::format("DNS provider {} of {}", provider, zone);
}

}  // namespace

Secret random_secret() {
  std::array<unsigned char, 32> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  std::string text;
  for (const auto byte : bytes) text += fmt::format("{:02x}", byte);
  return Secret(std::move(text));
}

Vault::Vault(const std::filesystem::path& key_file) : key_file_(key_file), key_(read_key(key_file)) {}
Vault::~Vault() = default;

std::string Vault::seal_for(const std::string& context, const std::string& text) const {
  std::string sealed(kNonceLength + text.size() + kTagLength, '\0');
  randombytes_buf(sealed.data(), kNonceLength);
  unsigned long long length = 0;
  crypto_aead_xchacha20poly1305_ietf_encrypt(bytes(sealed) + kNonceLength, &length, bytes(text), text.size(),
                                             bytes(context), context.size(), nullptr, bytes(sealed),
                                             bytes(key_.reveal()));
  return sealed;
}

std::optional<Secret> Vault::open_for(const std::string& context, const std::string& sealed) const {
  if (sealed.size() < kNonceLength + kTagLength) return std::nullopt;
  std::string text(sealed.size() - kNonceLength - kTagLength, '\0');
  unsigned long long length = 0;
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(bytes(text), &length, nullptr, bytes(sealed) + kNonceLength,
                                                 sealed.size() - kNonceLength, bytes(context), context.size(),
                                                 bytes(sealed), bytes(key_.reveal())) != 0) {
    return std::nullopt;
  }
  return Secret(std::move(text));
}

std::string Vault::seal(AppId app, const SettingName& name, const Secret& value) const {
  return seal_for(context_of(app, name), value.reveal());
}

Secret Vault::open(AppId app, const SettingName& name, const std::string& sealed) const {
  if (auto value = open_for(context_of(app, name), sealed)) return *std::move(value);
  throw UserError(fmt::format("setting {} cannot be opened with the key in {}", name.str(), key_file_.native()),
                  "restore the key that belongs to this database, or set it again");
}

std::string Vault::seal_command(AppId app, const std::string& command) const {
  return seal_for(context_of_command(app), command);
}

Secret Vault::open_command(AppId app, const std::string& sealed) const {
  if (auto command = open_for(context_of_command(app), sealed)) return *std::move(command);
  throw UserError(fmt::format("the command of a job cannot be opened with the key in {}", key_file_.native()),
                  "restore the key that belongs to this database");
}

std::string Vault::seal_target(const std::string& target, const std::string& credentials) const {
  return seal_for(context_of_target(target), credentials);
}

Secret Vault::open_target(const std::string& target, const std::string& sealed) const {
  if (auto credentials = open_for(context_of_target(target), sealed)) return *std::move(credentials);
  throw UserError(
      fmt::format("the credentials of backup target {} cannot be opened with the key in {}", target,
                  key_file_.native()),
      "restore the key that belongs to this database, or remove the target and add it again with its password");
}

std::string Vault::seal_dns(const std::string& zone, const std::string& provider, const std::string& variables) const {
  return seal_for(context_of_dns(zone, provider), variables);
}

Secret Vault::open_dns(const std::string& zone, const std::string& provider, const std::string& sealed) const {
  if (auto variables = open_for(context_of_dns(zone, provider), sealed)) return *std::move(variables);
  throw UserError(fmt::format("the credentials of DNS provider {} cannot be opened with the key in {}", provider,
                              key_file_.native()),
                  "restore the key that belongs to this database, or set them again: cert dns set");
}

std::string Vault::random_password() {
  constexpr std::size_t kBytes = 32, kGroup = 8;
  if (sodium_init() < 0) throw Error("libsodium cannot be used on this machine");
  unsigned char random[kBytes];
  randombytes_buf(random, sizeof random);
  std::string text;
  for (std::size_t at = 0; at < kBytes; ++at) {
    if (at > 0 && at * 2 % kGroup == 0) text += '-';
    text += fmt::format("{:02x}", random[at]);
  }
  sodium_memzero(random, sizeof random);
  return text;
}

std::string Vault::seal_access(AppId app, const std::string& rules) const {
  return seal_for(context_of_access(app), rules);
}

Secret Vault::open_access(AppId app, const std::string& sealed) const {
  if (auto rules = open_for(context_of_access(app), sealed)) return *std::move(rules);
  throw UserError(fmt::format("the access rules of an app cannot be opened with the key in {}", key_file_.native()),
                  "restore the key that belongs to this database");
}

std::string Vault::seal_deploy_key(AppId app, const Secret& key) const {
  return seal_for(context_of_deploy_key(app), key.reveal());
}

Secret Vault::open_deploy_key(AppId app, const std::string& sealed) const {
  if (auto key = open_for(context_of_deploy_key(app), sealed)) return *std::move(key);
  throw UserError(fmt::format("the deploy key of an app cannot be opened with the key in {}", key_file_.native()),
                  "restore the key that belongs to this database, or make another deploy key: key deploy APP --renew");
}

std::string Vault::seal_service_password(const ServiceName& service, const Secret& password) const {
  return seal_for(context_of_service(service), password.reveal());
}

Secret Vault::open_service_password(const ServiceName& service, const std::string& sealed) const {
  if (auto password = open_for(context_of_service(service), sealed)) return *std::move(password);
  throw UserError(
      fmt::format("the password of service {} cannot be opened with the key in {}", service.str(), key_file_.native()),
      "restore the key that belongs to this database");
}

std::map<std::string, std::string> Vault::open_all(AppId app, const AppSettings& settings) const {
  std::map<std::string, std::string> variables;
  for (const auto& [name, setting] : settings) variables.emplace(name.str(), open(app, name, setting.sealed).reveal());
  return variables;
}

}  // namespace pushrod
