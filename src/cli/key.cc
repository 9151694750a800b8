// key add, list, remove: who may connect.
// The database holds the keys; authorized_keys is rendered from it after every change.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/audited.hh"
#include "cli/grammar.hh"
#include "cli/input.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "os/command.hh"
#include "os/file_lock.hh"
#include "os/files.hh"
#include "ssh/public_key.hh"
#include "ssh/sshd.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLongestKey = 64 << 10;

// Serialised, so that the file never lacks a key that was added at the same moment.
template <class Change>
void change_keys(Context& context, const Change& change) {
  const auto lock = FileLock::acquire(context.layout().keys_lock());
  make_directory(context.layout().ssh());
  const auto write = [&] { write_authorized_keys(context.layout(), context.store().keys(), own_program()); };
  write();  // what a killed change may have left out; the next one may well be refused
  change();
  write();
}

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
  throw UsageError(fmt::format("there is no role {}", quoted(text)), "known: admin, deploy, view");
}

std::string names_of(const std::vector<AppName>& apps) {
  std::vector<std::string> names;
  for (const auto& app : apps) names.push_back(app.str());
  return names.empty() ? "no app" : join(names, ", ");
}

// "may do everything", "has the role view for blog, shop".
std::string described(const Key& key) {
  if (key.is_admin()) return "may do everything";
  return fmt::format("has the role {} for {}", to_string(key.role), key.all_apps ? "all apps" : names_of(key.apps));
}

// What is asked for: a role, and apps or all of them; what is not said stays.
struct RightsWords {
  std::string role;
  std::vector<std::string> apps;
  bool all_apps = false;
};

int key_add(Context& context, const std::string& name, const std::string& file, const RightsWords& rights) {
  context.require_admin();
  const auto key_name = KeyName::parse(name);
  const auto apps = parse_apps(context, rights.apps);
  const auto role = !rights.role.empty() ? parse_role(rights.role) : apps.empty() ? Role::Admin : Role::Deploy;
  const auto key = parse_public_key(
      read_text_input(context, file, {"a public key", "key add NAME - < ~/.ssh/id_ed25519.pub", kLongestKey}));
  std::optional<Key> added;
  const auto detail =
      fmt::format("{} {}: {} {}", name, key.fingerprint, to_string(role), apps.empty() ? "all apps" : names_of(apps));
  audited(context, {"", "key add", detail}, [&] {
    change_keys(context, [&] { added = context.store().add_key(key_name, key.text, key.fingerprint, role, apps); });
  });
  print(fmt::format("Key {} ({}) {}.\n", key_name.str(), key.fingerprint, described(*added)));
  return kExitOk;
}

int key_set(Context& context, const std::string& name, const RightsWords& rights) {
  context.require_admin();
  const auto key_name = KeyName::parse(name);
  if (rights.role.empty() && rights.apps.empty() && !rights.all_apps) {
    throw UsageError("nothing is to be changed", "say --role, --app or --all-apps");
  }
  const auto keys = context.store().keys();
  const auto before = std::find_if(keys.begin(), keys.end(), [&](const Key& key) { return key.name == key_name; });
  const bool known = before != keys.end();
  auto apps = parse_apps(context, rights.apps);
  if (known && apps.empty() && !rights.all_apps && !before->all_apps) {
    apps = before->apps;
    // Without apps it would be for all of them.
    if (apps.empty())
      throw UserError(fmt::format("key {} is for no app any more", name), "say which with --app, or --all-apps");
  }
  const auto role = !rights.role.empty() ? parse_role(rights.role) : known ? before->role : Role::View;
  std::optional<Key> after;
  const auto detail = fmt::format("{}: {} {}", name, to_string(role), apps.empty() ? "all apps" : names_of(apps));
  audited(context, {"", "key set", detail}, [&] { after = context.store().set_key(key_name, role, apps); });
  print(fmt::format("Key {} ({}) {}.\n", key_name.str(), after->fingerprint, described(*after)));
  return kExitOk;
}

int key_list(Context& context, bool json) {
  context.require_admin();
  auto list = Json::array();
  Table table({"KEY", "FINGERPRINT", "ROLE", "APPS", "ADDED (UTC)"});
  for (const auto& key : context.store().keys()) {
    std::vector<std::string> apps;
    for (const auto& app : key.apps) apps.push_back(app.str());
    list.push_back({{"key", key.name.str()},
                    {"fingerprint", key.fingerprint},
                    {"public_key", key.public_key},
                    {"role", to_string(key.role)},
                    {"apps", key.all_apps ? Json("all") : Json(apps)},
                    {"created", iso_time(key.created)}});
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
  context.require_admin();
  const auto key_name = KeyName::parse(name);
  audited(context, {"", "key remove", name},
          [&] { change_keys(context, [&] { context.store().remove_key(key_name); }); });
  print(fmt::format("Key {} is gone.\n", key_name.str()));
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
  grammar
      .verb("key", "remove", "let a key in no more",
            [words](Context& context) { return key_remove(context, words->name); })
      .needs("KEY", words->name, "its name");
}

}  // namespace pushrod
