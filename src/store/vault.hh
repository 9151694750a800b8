// The vault: seals the values of settings and the commands of jobs, so that a copy of the database alone gives nothing
// away. XChaCha20-Poly1305 of libsodium with a key of 32 random bytes in a file (mode 0600) beside the
// database. What was sealed for one app and name opens for no other: both are authenticated with it. docs/security.md
// says what this protects from, and what not.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/secret.hh"
#include "model/app.hh"
#include "model/app_setting.hh"

namespace pushrod {

// 64 hexadecimal digits from the kernel's random numbers.
Secret random_secret();

class Vault {
 public:
  // Reads the key, or makes one and its file. A crash leaves a whole key file or none. Throws UserError when the file
  // does not have exactly 32 bytes.
  explicit Vault(const std::filesystem::path& key_file);
  ~Vault();
  Vault(const Vault&) = delete;
  Vault& operator=(const Vault&) = delete;

  std::string seal(AppId app, const SettingName& name, const Secret& value) const;
  // Throws UserError when it was sealed with another key, for something else, or changed since.
  Secret open(AppId app, const SettingName& name, const std::string& sealed) const;

  // The same for the commands of an app's jobs.
  std::string seal_command(AppId app, const std::string& command) const;
  Secret open_command(AppId app, const std::string& sealed) const;

  // The same for the credentials of a backup target.
  std::string seal_target(const std::string& target, const std::string& credentials) const;
  Secret open_target(const std::string& target, const std::string& sealed) const;
  // The same for the variables of a DNS provider.
  std::string seal_dns(const std::string& zone, const std::string& provider, const std::string& variables) const;
  Secret open_dns(const std::string& zone, const std::string& provider, const std::string& sealed) const;
  // 256 random bits as hexadecimal digits, in groups that people can copy.
  static std::string random_password();

  // The same for an app's access rules.
  std::string seal_access(AppId app, const std::string& rules) const;
  Secret open_access(AppId app, const std::string& sealed) const;

  // The same for the private part of an app's deploy key.
  std::string seal_deploy_key(AppId app, const Secret& key) const;
  Secret open_deploy_key(AppId app, const std::string& sealed) const;

  // The same for the password of a service's administrator.
  std::string seal_service_password(const ServiceName& service, const Secret& password) const;
  Secret open_service_password(const ServiceName& service, const std::string& sealed) const;

  // Every setting as the variables that a process gets.
  std::map<std::string, std::string> open_all(AppId app, const AppSettings& settings) const;

 private:
  std::string seal_for(const std::string& context, const std::string& text) const;
  std::optional<Secret> open_for(const std::string& context, const std::string& sealed) const;

  std::filesystem::path key_file_;
  Secret key_;
};

}  // namespace pushrod
