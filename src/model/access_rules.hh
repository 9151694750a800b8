// Who may send requests to an app: what its operator has set with `access`. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pushrod {

// A name and password of HTTP's basic authentication.
struct AccessUser {
  std::string name;
  std::string salt;  // hexadecimal
  std::string hash;  // SHA-256 of salt and password, hexadecimal in lower case
  bool operator==(const AccessUser&) const = default;
};

// A request must satisfy all that is there.
struct AccessRules {
  std::vector<std::string> networks{};  // addresses and networks; empty: all
  std::vector<AccessUser> users{};      // sorted by name; empty: no password is asked for
  std::optional<unsigned> rate{};       // requests per second of one client; absent: no limit
  std::string login_secret{};           // hexadecimal: signs links and sessions; empty: no login
  // Ids of the keys whose holders may have a session; 0 is the operator on the machine. Not stored: for the router.
  std::vector<std::int64_t> login_keys{};
  bool operator==(const AccessRules&) const = default;
};

// As JSON; "{}" for none. Throws Error for a text of another form.
std::string to_json(const AccessRules& rules);
AccessRules access_rules_from_json(const std::string& json);

}  // namespace pushrod
