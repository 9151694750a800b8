// The JSON form in which the database keeps them, sealed.
#include "model/access_rules.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"

namespace pushrod {

std::string to_json(const AccessRules& rules) {
  nlohmann::json object = nlohmann::json::object();
  if (!rules.networks.empty()) object["networks"] = rules.networks;
  for (const auto& user : rules.users) object["users"].push_back({user.name, user.salt, user.hash});
  if (rules.rate) object["rate"] = *rules.rate;
  if (!rules.login_secret.empty()) object["login_secret"] = rules.login_secret;
  return object.dump();
}

AccessRules access_rules_from_json(const std::string& text) {
  try {
    const auto object = nlohmann::json::parse(text);
    AccessRules rules;
    rules.networks = object.value("networks", std::vector<std::string>{});
    for (const auto& user : object.value("users", nlohmann::json::array())) {
      rules.users.push_back(
          {user.at(0).get<std::string>(), user.at(1).get<std::string>(), user.at(2).get<std::string>()});
    }
    if (object.contains("rate")) rules.rate = object.at("rate").get<unsigned>();
    rules.login_secret = object.value("login_secret", "");
    return rules;
  } catch (const nlohmann::json::exception& broken) {
    throw Error(fmt::format("the stored access rules cannot be read: {}", broken.what()));
  }
}

}  // namespace pushrod
