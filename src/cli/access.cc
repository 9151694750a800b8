// access: who may send requests to an app.
#include "operate/access.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"

namespace pushrod {

namespace {

struct AccessWords {
  std::string app, user, rate, state;
  std::vector<std::string> networks;
  bool json = false;
};

void print_view(const AccessView& view) {
  print(fmt::format(
      "Access to {}\n  networks  {}\n  users     {}\n  rate      {}\n  login     {}\n", view.app.str(),
      view.networks.empty() ? "all" : join(view.networks, ", "),
      view.users.empty() ? "none: no password is asked for" : join(view.users, ", "),
      view.rate ? fmt::format("{} requests per second of a client", *view.rate) : "no limit",
      view.login ? fmt::format("on: \"login {}\" makes a link for holders of a key", view.app.str()) : "off"));
}

int show(Context& context, const AccessWords& words) {
  const auto view = access_of(context, AppName::parse(words.app));
  if (words.json) {
    print_json(to_json(view));
  } else {
    print_view(view);
  }
  return kExitOk;
}

int set_networks(Context& context, const AccessWords& words) {
  if (words.networks.empty()) {
    throw UserError("Missing networks. Usage: access networks APP NETWORK… | all",
                    "for example: access networks shop 10.0.0.0/8 192.0.2.7");
  }
  const bool all = words.networks == std::vector<std::string>{"all"};
  print_view(
      set_access_networks(context, AppName::parse(words.app), all ? std::vector<std::string>{} : words.networks));
  return kExitOk;
}

int set_rate(Context& context, const AccessWords& words) {
  std::optional<unsigned> rate;
  if (words.rate != "off") {
    const auto number = parse_unsigned(words.rate);
    if (!number || *number > 1'000'000) {
      throw UserError(fmt::format("Invalid rate {}", quoted(words.rate)),
                      "use a number of requests per second, or off");
    }
    rate = static_cast<unsigned>(*number);
  }
  print_view(set_access_rate(context, AppName::parse(words.app), rate));
  return kExitOk;
}

int set_user(Context& context, const AccessWords& words) {
  const auto password = set_access_user(context, AppName::parse(words.app), words.user);
  print(fmt::format("The password of {} for {} is {}\nIt is not shown again.\n", words.user, words.app,
                    password.reveal()));
  return kExitOk;
}

int set_login(Context& context, const AccessWords& words) {
  if (words.state != "on" && words.state != "off") {
    throw UserError(fmt::format("Invalid state {}: use on or off", quoted(words.state)));
  }
  print_view(set_access_login(context, AppName::parse(words.app), words.state == "on"));
  return kExitOk;
}

int log_in(Context& context, const AccessWords& words) {
  print(fmt::format("{}\nOpen it in a browser within five minutes; it works once.\n",
                    login_link(context, AppName::parse(words.app))));
  return kExitOk;
}

int remove_user(Context& context, const AccessWords& words) {
  print_view(remove_access_user(context, AppName::parse(words.app), words.user));
  return kExitOk;
}

}  // namespace

void add_access_verbs(Grammar& grammar) {
  const auto words = std::make_shared<AccessWords>();
  grammar.describe_group("access", "who may send requests to an app");
  grammar.verb("access", "show", "the rules", [words](Context& context) { return show(context, *words); })
      .app(words->app)
      .json(words->json);
  grammar
      .verb("access", "networks", "only clients of these networks; \"all\" ends it",
            [words](Context& context) { return set_networks(context, *words); })
      .app(words->app)
      .takes_all("NETWORK", words->networks, "10.0.0.0/8, 192.0.2.7, 2001:db8::/48, or all");
  grammar
      .verb("access", "rate", "requests per second of one client",
            [words](Context& context) { return set_rate(context, *words); })
      .app(words->app)
      .needs("RATE", words->rate, "a number, or off");
  grammar
      .verb("access", "user", "a new password for a user; from then on the app asks for one",
            [words](Context& context) { return set_user(context, *words); })
      .app(words->app)
      .needs("USER", words->user, "the user's name");
  grammar
      .verb("access", "login", "only holders of a key get in, through a link of \"login APP\"",
            [words](Context& context) { return set_login(context, *words); })
      .app(words->app)
      .needs("STATE", words->state, "on or off");
  grammar
      .verb("login", "a link that opens an app with login in a browser",
            [words](Context& context) { return log_in(context, *words); })
      .app(words->app);
  grammar
      .verb("access", "remove-user", "the user's password no longer works",
            [words](Context& context) { return remove_user(context, *words); })
      .app(words->app)
      .needs("USER", words->user, "the user's name");
}

}  // namespace pushrod
