// The JSON form in which a release keeps them. Reading is strict: nothing but Pushrod writes it.
#include "model/http_rules.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"

namespace pushrod {

namespace {

using nlohmann::json;

std::optional<Milliseconds> duration_from(const json& object, const char* key) {
  if (!object.contains(key)) return std::nullopt;
  return Milliseconds{object.at(key).get<std::int64_t>()};
}

}  // namespace

std::string to_json(const HttpRules& rules) {
  json object = json::object();
  if (rules.max_body) object["max_body"] = *rules.max_body;
  if (rules.timeout) object["timeout_ms"] = rules.timeout->count();
  if (rules.idle_timeout) object["idle_timeout_ms"] = rules.idle_timeout->count();
  if (!rules.compress) object["compress"] = false;
  if (rules.keep_underscores) object["keep_underscores"] = true;
  for (const auto& [name, value] : rules.headers) object["headers"].push_back({name, value});
  for (const auto& redirect : rules.redirects) {
    object["redirects"].push_back({redirect.from, redirect.to, redirect.status});
  }
  for (const auto& [status, page] : rules.pages) object["pages"].push_back({status, page});
  return object.dump(-1, ' ', false, json::error_handler_t::strict);
}

HttpRules http_rules_from_json(const std::string& text) {
  try {
    const auto object = json::parse(text);
    HttpRules rules;
    if (object.contains("max_body")) rules.max_body = object.at("max_body").get<std::uint64_t>();
    rules.timeout = duration_from(object, "timeout_ms");
    rules.idle_timeout = duration_from(object, "idle_timeout_ms");
    rules.compress = object.value("compress", true);
    rules.keep_underscores = object.value("keep_underscores", false);
    for (const auto& header : object.value("headers", json::array())) {
      rules.headers.emplace_back(header.at(0).get<std::string>(), header.at(1).get<std::string>());
    }
    for (const auto& redirect : object.value("redirects", json::array())) {
      rules.redirects.push_back(
          {redirect.at(0).get<std::string>(), redirect.at(1).get<std::string>(), redirect.at(2).get<unsigned>()});
    }
    for (const auto& page : object.value("pages", json::array())) {
      rules.pages.emplace(page.at(0).get<unsigned>(), page.at(1).get<std::string>());
    }
    return rules;
  } catch (const json::exception& broken) {
    throw Error(fmt::format("the stored [http] rules cannot be read: {}", broken.what()));
  }
}

}  // namespace pushrod
