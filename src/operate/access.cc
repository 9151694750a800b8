#include "operate/access.hh"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/traffic.hh"
#include "model/settings.hh"
#include "operate/audit.hh"
#include "store/passwords.hh"

namespace pushrod {

namespace {

constexpr std::size_t kMostNetworks = 200;
constexpr std::size_t kMostUsers = 200;
constexpr unsigned kHighestRate = 100'000;

AccessRules rules_of(Session& session, const App& app) {
  auto all = session.store().access_rules();
  const auto found = all.find(app.id);
  return found == all.end() ? AccessRules{} : std::move(found->second);
}

AccessView view_of(const App& app, const AccessRules& rules) {
  AccessView view{app.name, rules.networks, {}, rules.rate, !rules.login_secret.empty()};
  for (const auto& user : rules.users) view.users.push_back(user.name);
  return view;
}

AccessView change(Session& session, const AppName& name, const std::string& action, const std::string& detail,
                  const std::function<void(AccessRules&)>& edit) {
  const auto app = session.require_app(name, Right::Deploy);
  auto rules = rules_of(session, app);
  edit(rules);
  audited(session, {name.str(), action, detail}, [&] {
    session.store().set_access_rules(app.id, rules);
    publish_routes(session.platform());
  });
  return view_of(app, rules);
}

void check_user_name(const std::string& user) {
  const bool is_plain = std::all_of(user.begin(), user.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-' || c == '@';
  });
  if (user.empty() || user.size() > 64 || !is_plain) {
    throw UserError(fmt::format("Invalid user name {}", quoted(user)),
                    "use 1 to 64 letters, digits and \".\", \"_\", \"-\", \"@\"");
  }
}

auto find_user(AccessRules& rules, const std::string& user) {
  return std::find_if(rules.users.begin(), rules.users.end(), [&](const AccessUser& one) { return one.name == user; });
}

}  // namespace

Json to_json(const AccessView& view) {
  Json object{{"app", view.app.str()},
              {"networks", view.networks},
              {"users", view.users},
              {"rate", nullptr},
              {"login", view.login}};
  if (view.rate) object["rate"] = *view.rate;
  return object;
}

AccessView access_of(Session& session, const AppName& name) {
  const auto app = session.require_app(name, Right::See);
  return view_of(app, rules_of(session, app));
}

AccessView set_access_networks(Session& session, const AppName& name, const std::vector<std::string>& networks) {
  session.require_app(name, Right::Deploy);
  for (const auto& network : networks) {
    if (is_network(network)) continue;
    throw UserError(fmt::format("{} is not an address or a network", quoted(network)),
                    "for example 192.0.2.7, 10.0.0.0/8 or 2001:db8::/48; \"all\" allows every address");
  }
  if (networks.size() > kMostNetworks) {
    throw UserError(fmt::format("{} networks are more than {}", networks.size(), kMostNetworks));
  }
  return change(session, name, "access networks", networks.empty() ? "all" : join(networks, " "),
                [&](AccessRules& rules) { rules.networks = networks; });
}

AccessView set_access_rate(Session& session, const AppName& name, std::optional<unsigned> rate) {
  session.require_app(name, Right::Deploy);
  if (rate && (*rate == 0 || *rate > kHighestRate)) {
    throw UserError(fmt::format("Invalid rate {}", *rate),
                    fmt::format("use 1 to {} requests per second, or off", kHighestRate));
  }
  return change(session, name, "access rate", rate ? std::to_string(*rate) : "off",
                [&](AccessRules& rules) { rules.rate = rate; });
}

Secret set_access_user(Session& session, const AppName& name, const std::string& user) {
  session.require_app(name, Right::Deploy);
  check_user_name(user);
  auto made = make_password(user);
  change(session, name, "access user", user, [&](AccessRules& rules) {
    if (const auto known = find_user(rules, user); known != rules.users.end()) {
      *known = made.user;
      return;
    }
    if (rules.users.size() >= kMostUsers)
      throw UserError(fmt::format("{} has {} users already", name.str(), kMostUsers));
    rules.users.push_back(made.user);
    std::sort(rules.users.begin(), rules.users.end(),
              [](const AccessUser& one, const AccessUser& other) { return one.name < other.name; });
  });
  return made.password;
}

AccessView remove_access_user(Session& session, const AppName& name, const std::string& user) {
  return change(session, name, "access remove-user", user, [&](AccessRules& rules) {
    const auto known = find_user(rules, user);
    if (known == rules.users.end()) {
      throw UserError(fmt::format("{} has no user {}", name.str(), quoted(user)),
                      fmt::format("see them: access show {}", name.str()));
    }
    rules.users.erase(known);
  });
}

AccessView set_access_login(Session& session, const AppName& name, bool on) {
  return change(session, name, "access login", on ? "on" : "off",
                [&](AccessRules& rules) { rules.login_secret = on ? make_login_secret() : std::string{}; });
}

std::string login_link(Session& session, const AppName& name) {
  constexpr std::chrono::minutes kValid{5};
  const auto app = session.require_app(name, Right::See);
  const auto rules = rules_of(session, app);
  if (rules.login_secret.empty()) {
    throw UserError(
        fmt::format("{} has no login: it is open to every client that its other access rules allow", name.str()),
        fmt::format("close it: access login {} on", name.str()));
  }
  const auto expiry = std::chrono::duration_cast<std::chrono::seconds>((now() + kValid).time_since_epoch()).count();
  const auto key = session.caller().key ? session.caller().key->id : 0;
  const auto address = whole_address_of(session.platform(), app.id, app.name);
  std::string link;
  audited(session, {name.str(), "login", "a link"}, [&] {
    link = fmt::format("{}://{}/.pushrod/login?{}", address.is_https ? "https" : "http", address.host,
                       make_login_token(rules.login_secret, key, expiry));
  });
  return link;
}

}  // namespace pushrod
