// config set, unset, import: changing the settings of an app.
#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/change.hh"
#include "cli/grammar.hh"
#include "cli/input.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/settings.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLongestFile = std::size_t{1} << 20;

struct Words {
  std::string app, file = "-";
  std::vector<std::string> all;
  bool secret = false, no_restart = false, build = false, run = false;
  AppName app_name() const { return AppName::parse(app); }
  std::optional<SettingScope> scope() const {
    if (build == run) return build ? std::optional(SettingScope::Both) : std::nullopt;
    return build ? SettingScope::Build : SettingScope::Run;
  }
  When when() const { return no_restart ? When::NextRelease : When::Now; }
};

int carry_out(Context& context, const Words& words, const SettingsChange& result) {
  if (result.change) return run_change(context, *result.change);
  const auto names = join(result.names, ", ");
  if (result.is_for_build) {
    print(fmt::format("Saved for the next build of {}: {}. To build now: redeploy {}\n", words.app, result.what,
                      words.app));
    return kExitOk;
  }
  print(result.is_saved            ? fmt::format("Saved for the next release of {}: {}.\n", words.app, result.what)
        : result.names.size() == 1 ? fmt::format("No change: {} is already set to that value.\n", names)
                                   : fmt::format("No change: {} are already set to these values.\n", names));
  return kExitOk;
}

std::string read_value(const SettingName& name) {
  auto text = read_standard_input({"a value", {}, kLongestFile});
  if (text.ends_with('\n')) {
    fmt::print(stderr, "Note: the value of {} ends with a newline. To leave it out, use printf instead of echo.\n",
               name.str());
  }
  return text;
}

int config_set(Context& context, const Words& words) {
  if (words.app.find('=') != std::string::npos) throw UsageError("the app is missing", "config set APP NAME=VALUE");
  if (words.all.empty()) throw UsageError("no setting is given", "config set APP NAME=VALUE");
  context.require_app(words.app, Right::Deploy);  // before standard input is read
  std::vector<NewSetting> settings;
  bool has_read = false;
  for (const auto& word : words.all) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) {
      throw UserError(fmt::format("setting {} has no value", quoted(word)),
                      context.caller().is_remote()
                          ? "use NAME=VALUE; over SSH, quote it twice: ssh … \"config set APP 'NAME=two words'\""
                          : "use NAME=VALUE, or NAME=- to read the value from standard input");
    }
    const auto name = SettingName::parse(word.substr(0, equals));
    auto text = word.substr(equals + 1);
    if (text == "-") {
      if (std::exchange(has_read, true)) {
        throw UserError("standard input can be the value of one setting only", "set the others in separate commands");
      }
      text = read_value(name);
    }
    settings.push_back({name, Secret(std::move(text)), words.secret, words.scope()});
  }
  return carry_out(context, words, set_settings(context, words.app_name(), settings, words.when()));
}

int config_unset(Context& context, const Words& words) {
  if (words.all.empty()) throw UsageError("no setting is given", "config unset APP NAME");
  std::vector<SettingName> names;
  for (const auto& word : words.all) names.push_back(SettingName::parse(word));
  return carry_out(context, words, unset_settings(context, words.app_name(), names, words.when()));
}

int config_import(Context& context, const Words& words) {
  context.require_app(words.app, Right::Deploy);  // before standard input is read
  const Input input{"a .env file", fmt::format("config import {} - < .env", words.app), kLongestFile};
  const auto text = read_input(context, words.file, input);
  std::vector<NewSetting> settings;
  for (const auto& [name, value] : parse_dotenv(text, words.file == "-" ? "standard input" : words.file)) {
    settings.push_back({name, value, false, words.scope()});
  }
  if (settings.empty()) throw UserError("the file contains no settings", "write each setting on a line: NAME=value");
  return carry_out(context, words, set_settings(context, words.app_name(), settings, words.when()));
}

}  // namespace

void add_config_verbs(Grammar& grammar) {
  const auto words = std::make_shared<Words>();
  const auto verb = [&](const char* name, const char* help, int (*action)(Context&, const Words&)) {
    return grammar.verb("config", name, help, [=](Context& context) { return action(context, *words); })
        .app(words->app);
  };
  grammar.describe_group("config", "the settings of an app");
  verb("set", "set one or more, in one release", config_set)
      .takes_all("NAME=VALUE", words->all, "NAME=- reads the value from standard input")
      .flag("--secret", words->secret, "mask their values (implied by names with PASSWORD, TOKEN, KEY, URL, …)")
      .flag("--build", words->build, "for builds only (with --run: for both, as without either)")
      .flag("--run", words->run, "not for builds: for instances, jobs and the release command")
      .flag("--no-restart", words->no_restart, "save them for the next release");
  verb("unset", "remove one or more, in one release", config_unset)
      .takes_all("NAME", words->all, "their names")
      .flag("--no-restart", words->no_restart, "save the change for the next release");
  verb("import", "set all settings of a .env file, in one release", config_import)
      .takes("FILE", words->file, "the file, or - for standard input (default: -)")
      .flag("--build", words->build, "for builds only")
      .flag("--run", words->run, "not for builds")
      .flag("--no-restart", words->no_restart, "save them for the next release");
}

}  // namespace pushrod
