// config list, get, export: what the settings of an app are.
#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/settings.hh"

namespace pushrod {

namespace {

constexpr std::string_view kMask = "********";

struct Words {
  std::string app, name;
  bool json = false;
  AppName app_name() const { return AppName::parse(app); }
};

int config_export(Context& context, const Words& words) {
  print(render_dotenv(setting_values(context, words.app_name())));
  return kExitOk;
}

int config_get(Context& context, const Words& words) {
  print(setting_value(context, words.app_name(), SettingName::parse(words.name)).reveal());
  if (is_terminal(STDOUT_FILENO)) print("\n");
  return kExitOk;
}

std::string remarks_on(const SettingLine& line) {
  std::vector<std::string> remarks;
  if (line.scope == SettingScope::Build) remarks.emplace_back("builds only");
  if (line.scope == SettingScope::Run) remarks.emplace_back("not in builds");
  if (line.is_pending) {
    remarks.emplace_back(line.scope == SettingScope::Build ? "from the next build" : "from the next release");
  }
  return join(remarks, ", ");
}

int config_list(Context& context, const Words& words) {
  const auto view = list_settings(context, words.app_name());
  if (words.json) {
    print_json(to_json(view));
    return kExitOk;
  }
  Table table({"SETTING", "VALUE", ""});
  for (const auto& line : view.settings) {
    table.add({line.name, line.value.value_or(std::string(kMask)), remarks_on(line)});
  }
  print(table.is_empty()
            ? fmt::format("App {} has no settings. To set one: config set {} NAME=VALUE\n", words.app, words.app)
            : table.str());
  if (!view.pending_removal.empty()) {
    print(fmt::format("Removed in the next release: {}.\n", join(view.pending_removal, ", ")));
  }
  return kExitOk;
}

}  // namespace

void add_config_list_verbs(Grammar& grammar) {
  const auto words = std::make_shared<Words>();
  const auto verb = [&](const char* name, const char* help, int (*action)(Context&, const Words&)) {
    return grammar.verb("config", name, help, [=](Context& context) { return action(context, *words); })
        .app(words->app);
  };
  verb("list", "all settings, with secrets masked", config_list).json(words->json);
  verb("get", "the value of one setting", config_get).needs("NAME", words->name, "its name");
  verb("export", "all settings as a .env file, with secrets", config_export);
}

}  // namespace pushrod
