// key add, list, set, remove: who may connect.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/input.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/keys.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLongestKey = 64 << 10;

// "--app blog,shop --app wiki"
std::vector<AppName> parse_apps(Context& context, const std::vector<std::string>& lists) {
  std::vector<AppName> apps;
  for (const auto& list : lists) {
    for (const auto& name : split(list, ',')) apps.push_back(context.require_app(name, Right::See).name);
  }
  return apps;
}

Role parse_role(const std::string& text) {
  if (text == "admin" || text == "deploy" || text == "view") return role_from(text);
  throw UsageError(fmt::format("unknown role {}", quoted(text)), "use one of: admin, deploy, view");
}

// "may do everything", "has the role view for blog, shop".
std::string described(const Key& key) {
  if (key.is_admin()) return "may do everything";
  return fmt::format("has the role {} for {}", to_string(key.role), key.all_apps ? "all apps" : names_of(key.apps));
}

struct RightsWords {
  std::string role;
  std::vector<std::string> apps;
  bool all_apps = false;
};

KeyRights parse_rights(Context& context, const RightsWords& words) {
  KeyRights rights{.apps = parse_apps(context, words.apps), .all_apps = words.all_apps};
  if (!words.role.empty()) rights.role = parse_role(words.role);
  return rights;
}

int key_add(Context& context, const std::string& name, const std::string& file, const RightsWords& words) {
  context.require_admin();  // before a key is read from standard input
  const auto key_name = KeyName::parse(name);
  const auto rights = parse_rights(context, words);
  const auto key = parse_public_key(
      read_text_input(context, file, {"a public key", "key add NAME - < ~/.ssh/id_ed25519.pub", kLongestKey}));
  const auto added = add_key(context, key_name, key, rights);
  print(fmt::format("Key {} ({}) {}.\n", name, key.fingerprint, described(added)));
  return kExitOk;
}

int key_set(Context& context, const std::string& name, const RightsWords& words) {
  context.require_admin();
  const auto key_name = KeyName::parse(name);
  if (words.role.empty() && words.apps.empty() && !words.all_apps) {
    throw UsageError("there is nothing to change", "use --role, --app or --all-apps");
  }
  const auto key = set_key(context, key_name, parse_rights(context, words));
  print(fmt::format("Key {} ({}) {}.\n", name, key.fingerprint, described(key)));
  return kExitOk;
}

int key_list(Context& context, bool json) {
  auto list = Json::array();
  Table table({"KEY", "FINGERPRINT", "ROLE", "APPS", "ADDED (UTC)"});
  for (const auto& key : list_keys(context)) {
    list.push_back(to_json(key));
    table.add({key.name.str(), key.fingerprint, std::string(to_string(key.role)),
               key.all_apps ? "all" : names_of(key.apps), format_time(key.created)});
  }
  if (json) {
    print_json(list);
  } else {
    print(table.is_empty() ? "There are no keys. Add yours: pushrod key add NAME ~/.ssh/id_ed25519.pub\n"
                           : table.str());
  }
  return kExitOk;
}

int key_remove(Context& context, const std::string& name) {
  remove_key(context, KeyName::parse(name));
  print(fmt::format("Key {} has been removed.\n", name));
  return kExitOk;
}

}  // namespace

void add_key_verbs(Grammar& grammar) {
  struct Words : RightsWords {
    std::string name, file = "-";
    bool json = false;
  };
  const auto words = std::make_shared<Words>();
  grammar.describe_group("key", "who may connect");
  grammar
      .verb("key", "add", "let a public key in",
            [words](Context& context) { return key_add(context, words->name, words->file, *words); })
      .needs("NAME", words->name, "whose key it is")
      .takes("FILE", words->file, "the .pub file, or - for standard input (default: -)")
      .option("--role", words->role, "admin, deploy or view (default: admin, or deploy with --app)")
      .options("--app", words->apps, "let it use only these apps: APP[,APP] (may be given again)");
  grammar.verb("key", "list", "all keys", [words](Context& context) { return key_list(context, words->json); })
      .json(words->json);
  grammar
      .verb("key", "set", "change what a key may do",
            [words](Context& context) { return key_set(context, words->name, *words); })
      .needs("KEY", words->name, "its name")
      .option("--role", words->role, "admin, deploy or view")
      .options("--app", words->apps, "let it use only these apps: APP[,APP] (may be given again)")
      .flag("--all-apps", words->all_apps, "let it use all apps, those to come included")
      .excludes("--all-apps", "--app");
  grammar.verb("key", "remove", "remove a key", [words](Context& context) { return key_remove(context, words->name); })
      .needs("KEY", words->name, "its name");
}

}  // namespace pushrod
