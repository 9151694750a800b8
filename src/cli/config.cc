// config list, get, set, unset, import, export: the settings of an app.
// A change is a deployment, all of its names together; the values go sealed into it and are shown to nobody
// who did not ask for just them.
#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/secret.hh"
#include "base/text.hh"
#include "cli/audited.hh"
#include "cli/change.hh"
#include "cli/grammar.hh"
#include "cli/input.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "config/dotenv.hh"
#include "model/environment.hh"
#include "os/file_lock.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLongestFile = std::size_t{1} << 20;
// The kernel takes strings of up to 128 kB, name, '=' and the end of it included (MAX_ARG_STRLEN in execve(2)); one
// byte more is ours (src/shim/README.md).
constexpr std::size_t kLongestVariable = (128 << 10) - 3;
constexpr std::size_t kLargestEnvironment = 700 << 10;
constexpr std::string_view kMask = "********";

enum class When { Now, NextRelease };

void check_value(const SettingName& name, const Secret& value) {
  check_not_reserved(name.str());
  check_variable(name.str(), value.reveal());
  const auto& text = value.reveal();
  if (text.find('\0') != std::string::npos) {
    throw UserError(fmt::format("the value of {} has a NUL byte, which no environment variable can have", name.str()));
  }
  if (name.str().size() + text.size() > kLongestVariable) {
    throw UserError(fmt::format("the value of {} is too long: {}", name.str(), format_bytes(text.size())),
                    "name and value together may have 128 kB: put it into a file in /data instead");
  }
}

// Absent when the key that it was sealed with is lost: setting it again is the way out of that.
std::optional<Secret> opened(const Vault& vault, AppId app, const SettingName& name, const AppSetting& setting) {
  try {
    return vault.open(app, name, setting.sealed);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void check_total(const Vault& vault, AppId app, const AppSettings& settings) {
  std::size_t total = 0;
  for (const auto& [name, setting] : settings) {
    if (const auto value = opened(vault, app, name, setting)) total += name.str().size() + value->reveal().size();
  }
  if (total > kLargestEnvironment) {
    throw UserError(fmt::format("all settings together would be too long: {}", format_bytes(total)),
                    fmt::format("{} are allowed: put some into files in /data", format_bytes(kLargestEnvironment)));
  }
}

// "set A, B, unset C"
std::string described(const SettingChanges& changes) {
  std::vector<std::string> set, unset, parts;
  for (const auto& [name, setting] : changes) (setting ? set : unset).push_back(name.str());
  if (!set.empty()) parts.push_back("set " + join(set, ", "));
  if (!unset.empty()) parts.push_back("unset " + join(unset, ", "));
  return join(parts, ", ");
}

// Is all of it so already, in what runs as well if it is to be changed now?
bool is_so(Context& context, const App& app, const SettingChanges& changes, When when) {
  auto& store = context.store();
  const auto has_all = [&](const AppSettings& settings) { return with_changes(settings, changes) == settings; };
  if (!has_all(store.settings(app.id))) return false;
  return when == When::NextRelease || !app.live || has_all(store.release(app.id, *app.live).value().settings);
}

// Without an app that runs there is nothing to deploy: they are for the next release.
int change_settings(Context& context, const App& app, const SettingChanges& changes, When when) {
  auto& store = context.store();
  if (is_so(context, app, changes, when)) {
    print(fmt::format("The settings of {} are that already: {}.\n", app.name.str(), described(changes)));
    return kExitOk;
  }
  check_total(store.vault(), app.id, with_changes(store.settings(app.id), changes));
  if (when == When::Now && app.live) {
    auto change = change_of(context, app, DeploymentKind::Config);
    change.settings = changes;
    change.detail = described(changes);
    return run_change(context, change);
  }
  return audited_exit(context, {{app.name.str(), "config", described(changes) + " (for the next release)"}}, [&] {
    make_directory(context.layout().locks());
    const auto lock = FileLock::acquire(context.layout().app_lock(app.name));
    lock.announce("a change of settings of " + app.name.str());
    store.set_settings(app.id, with_changes(store.settings(app.id), changes));
    print(fmt::format("Kept for the next release of {}: {}.\n", app.name.str(), described(changes)));
    return kExitOk;
  });
}

AppSetting sealed(Context& context, const App& app, const SettingName& name, const Secret& value, bool secret) {
  check_value(name, value);
  const auto& vault = context.store().vault();
  const auto known = context.store().settings(app.id);
  const auto before = known.find(name);
  secret = secret || looks_secret(name);
  if (before == known.end()) return {vault.seal(app.id, name, value), secret};
  secret = secret || before->second.secret;
  // Sealed anew, the same value would look like another one.
  const auto old = opened(vault, app.id, name, before->second);
  const bool is_same = old && old->reveal() == value.reveal();
  return {is_same ? before->second.sealed : vault.seal(app.id, name, value), secret};
}

int config_set(Context& context, const std::string& app_name, const std::vector<std::string>& words, bool secret,
               When when) {
  if (app_name.find('=') != std::string::npos) throw UsageError("the app is missing", "config set APP NAME=VALUE");
  const auto app = context.require_app(app_name, Right::Deploy);
  SettingChanges changes;
  bool read_already = false;
  for (const auto& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) {
      throw UserError(fmt::format("{} has no value", quoted(word)),
                      context.caller().is_remote()
                          ? "say NAME=VALUE; over SSH in quotes twice: ssh … \"config set APP 'NAME=two words'\""
                          : "say NAME=VALUE, or NAME=- for standard input");
    }
    const auto name = SettingName::parse(word.substr(0, equals));
    auto text = word.substr(equals + 1);
    if (text == "-") {
      if (read_already) throw UserError("standard input can be the value of one setting only", "set them one by one");
      read_already = true;
      text = read_standard_input({"a value", {}, kLongestFile});
      if (text.ends_with('\n')) {
        fmt::print(stderr, "Note: the value of {} ends in a newline (printf leaves it out).\n", name.str());
      }
    }
    const Secret value(std::move(text));
    if (!changes.emplace(name, sealed(context, app, name, value, secret)).second) {
      throw UserError(fmt::format("{} is set twice", name.str()), "say it once");
    }
  }
  if (changes.empty()) throw UsageError("there is nothing to set", "say NAME=VALUE");
  return change_settings(context, app, changes, when);
}

int config_unset(Context& context, const std::string& app_name, const std::vector<std::string>& words, When when) {
  const auto app = context.require_app(app_name, Right::Deploy);
  const auto known = context.store().settings(app.id);
  SettingChanges changes;
  for (const auto& word : words) {
    const auto name = SettingName::parse(word);
    if (!known.contains(name)) {
      throw UserError(fmt::format("{} has no setting {}", app.name.str(), name.str()),
                      fmt::format("`config list {}` shows them", app.name.str()));
    }
    changes.emplace(name, std::nullopt);
  }
  if (changes.empty()) throw UsageError("there is nothing to unset", "name a setting");
  return change_settings(context, app, changes, when);
}

int config_import(Context& context, const std::string& app_name, const std::string& file, When when) {
  const auto app = context.require_app(app_name, Right::Deploy);
  const auto text = read_input(context, file,
                               {"a .env file", fmt::format("config import {} - < .env", app.name.str()), kLongestFile});
  SettingChanges changes;
  for (const auto& [name, value] : parse_dotenv(text, file == "-" ? "standard input" : file)) {
    changes.emplace(name, sealed(context, app, name, value, false));
  }
  if (changes.empty()) throw UserError("there is no setting in it", "a line is NAME=value");
  return change_settings(context, app, changes, when);
}

int config_export(Context& context, const std::string& app_name) {
  const auto app = context.require_app(app_name, Right::Deploy);
  DotenvEntries entries;
  for (const auto& [name, setting] : context.store().settings(app.id)) {
    entries.emplace_back(name, context.store().vault().open(app.id, name, setting.sealed));
  }
  print(render_dotenv(entries));
  return kExitOk;
}

int config_get(Context& context, const std::string& app_name, const std::string& word) {
  const auto app = context.require_app(app_name, Right::Deploy);
  const auto name = SettingName::parse(word);
  const auto settings = context.store().settings(app.id);
  const auto setting = settings.find(name);
  if (setting == settings.end()) {
    throw UserError(fmt::format("{} has no setting {}", app.name.str(), name.str()),
                    fmt::format("`config list {}` shows them", app.name.str()));
  }
  print(context.store().vault().open(app.id, name, setting->second.sealed).reveal());
  if (is_terminal(STDOUT_FILENO)) print("\n");
  return kExitOk;
}

int config_list(Context& context, const std::string& app_name, bool json) {
  const auto app = context.require_app(app_name, Right::Deploy);
  const auto& vault = context.store().vault();
  const auto live = app.live ? context.store().release(app.id, *app.live) : std::nullopt;
  const auto settings = context.store().settings(app.id);
  auto list = Json::array();
  Table table({"SETTING", "VALUE", ""});
  for (const auto& [name, setting] : settings) {
    const auto in_use = live ? live->settings.find(name) : settings.end();
    const bool pending = live && (in_use == live->settings.end() || in_use->second.sealed != setting.sealed);
    const auto shown = setting.secret ? std::string(kMask) : vault.open(app.id, name, setting.sealed).reveal();
    list.push_back({{"name", name.str()},
                    {"value", setting.secret ? Json(nullptr) : Json(shown)},
                    {"secret", setting.secret},
                    {"pending", pending}});
    table.add({name.str(), shown, pending ? "from the next release on" : ""});
  }
  std::vector<std::string> going;
  if (live) {
    for (const auto& [name, setting] : live->settings) {
      if (!settings.contains(name)) going.push_back(name.str());
    }
  }
  if (json) {
    print_json(list);
    return kExitOk;
  }
  print(table.is_empty()
            ? fmt::format("App {} has no settings. Set one: config set {} NAME=VALUE\n", app.name.str(), app.name.str())
            : table.str());
  if (!going.empty()) print(fmt::format("Gone from the next release on: {}.\n", join(going, ", ")));
  return kExitOk;
}

}  // namespace

void add_config_verbs(Grammar& grammar) {
  struct Words {
    std::string app, name, file = "-";
    std::vector<std::string> all;
    bool json = false, secret = false, no_restart = false;
    When when() const { return no_restart ? When::NextRelease : When::Now; }
  };
  const auto words = std::make_shared<Words>();
  grammar.describe_group("config", "the settings of an app");
  grammar
      .verb("config", "list", "all settings; secret ones masked",
            [words](Context& context) { return config_list(context, words->app, words->json); })
      .app(words->app)
      .json(words->json);
  grammar
      .verb("config", "get", "the value of one, as it is",
            [words](Context& context) { return config_get(context, words->app, words->name); })
      .app(words->app)
      .needs("NAME", words->name, "its name");
  grammar
      .verb("config", "set", "set one or several, as one release",
            [words](Context& context) {
              return config_set(context, words->app, words->all, words->secret, words->when());
            })
      .app(words->app)
      .takes_all("NAME=VALUE", words->all, "NAME=- reads the value from standard input")
      .flag("--secret", words->secret, "show them to nobody (known by their names: PASSWORD, TOKEN, KEY, URL, …)")
      .flag("--no-restart", words->no_restart, "keep them for the next release");
  grammar
      .verb("config", "unset", "take one or several away, as one release",
            [words](Context& context) { return config_unset(context, words->app, words->all, words->when()); })
      .app(words->app)
      .takes_all("NAME", words->all, "their names")
      .flag("--no-restart", words->no_restart, "keep that for the next release");
  grammar
      .verb("config", "import", "set all of a .env file, as one release",
            [words](Context& context) { return config_import(context, words->app, words->file, words->when()); })
      .app(words->app)
      .takes("FILE", words->file, "the file, or - for standard input (default: -)")
      .flag("--no-restart", words->no_restart, "keep them for the next release");
  grammar
      .verb("config", "export", "all settings as a .env file, secret ones too",
            [words](Context& context) { return config_export(context, words->app); })
      .app(words->app);
}

}  // namespace pushrod
