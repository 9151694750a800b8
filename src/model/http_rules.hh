// What the router does with an app's requests and answers: [http] of its pushrod.toml. Plain values; a release keeps
// them with its web process.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "os/clock.hh"

namespace pushrod {

struct HttpRedirect {
  std::string from;  // a path; "/old/*" stands for all below /old/
  std::string to;    // a path or an address; "*" in it stands for what the one in `from` stood for
  unsigned status = 308;
  bool operator==(const HttpRedirect&) const = default;
};

struct HttpRules {
  std::optional<std::uint64_t> max_body;                       // bytes of a request's body; absent: no limit
  std::optional<Milliseconds> timeout;                         // silence of the app before or within an answer
  std::optional<Milliseconds> idle_timeout;                    // silence of an upgraded connection
  bool compress = true;                                        // the router compresses text
  bool keep_underscores = false;                               // request headers with "_" in their names reach the app
  std::vector<std::pair<std::string, std::string>> headers{};  // of each answer, in place of the app's
  std::vector<HttpRedirect> redirects{};                       // the first one that matches counts
  // What clients get in place of the router's page of this status. In a manifest the file, in a release its content.
  std::map<unsigned, std::string> pages{};
  bool operator==(const HttpRules&) const = default;
};

// As JSON, without what is as usual; "{}" for no rules. Throws Error for a text of another form.
std::string to_json(const HttpRules& rules);
HttpRules http_rules_from_json(const std::string& json);

}  // namespace pushrod
