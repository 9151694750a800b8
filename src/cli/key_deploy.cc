// key deploy: the key with which an app's builds fetch private repositories.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/deploy_keys.hh"

namespace pushrod {

void add_key_deploy_verb(Grammar& grammar) {
  struct Words {
    std::string app;
    bool renew = false, forget_hosts = false, json = false;
  };
  const auto words = std::make_shared<Words>();
  const auto show = [words](Context& context) {
    const auto change = words->renew          ? DeployKeyChange::Renew
                        : words->forget_hosts ? DeployKeyChange::ForgetHosts
                                              : DeployKeyChange::None;
    const auto key = deploy_key(context, AppName::parse(words->app), change);
    if (words->json) {
      print_json(to_json(key));
      return kExitOk;
    }
    print(key.public_key + "\n");
    if (key.is_new) {
      fmt::print(
          stderr,
          "This is a new key. Add it as a deploy key, for reading, to each repository that builds of {} fetch.\n",
          words->app);
    }
    return kExitOk;
  };
  grammar.verb("key", "deploy", "the key with which builds of an app fetch private repositories", show)
      .app(words->app)
      .flag("--renew", words->renew, "make another one; the old one is gone")
      .flag("--forget-hosts", words->forget_hosts, "forget which keys the servers had that builds have met")
      .excludes("--renew", "--forget-hosts")
      .json(words->json);
}

}  // namespace pushrod
