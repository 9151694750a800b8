// completion: the scripts for bash, zsh and fish, and what they ask.
// Names come from the database; errors there are not shown while the user types.
#include "cli/completion.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/backup.hh"
#include "cli/completion_scripts.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "services/service_type.hh"
#include "tree/become_user.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kPatience{200};
constexpr std::string_view kFiles = ":files";

using Names = std::vector<std::string>;

// What options before the verb say, as far as they matter here.
std::string value_before(const std::vector<std::string>& words, const std::string& option) {
  for (std::size_t at = 0; at + 1 < words.size(); ++at) {
    if (words[at] == option) return words[at + 1];
    if (words[at].starts_with(option + "=")) return words[at].substr(option.size() + 1);
  }
  return {};
}

Names app_names(const Store& store) {
  Names names;
  for (const auto& app : store.apps()) names.push_back(app.name.str());
  return names;
}

Names service_names(const Store& store) {
  Names names;
  for (const auto& service : store.services()) names.push_back(service.name.str());
  return names;
}

Names key_names(const Store& store) {
  Names names;
  for (const auto& key : store.keys()) names.push_back(key.name.str());
  return names;
}

// The app that the verb was given.
std::optional<App> app_of(const Store& store, const Completion& completion) {
  return completion.positionals.empty() ? std::nullopt : store.app(AppName::parse(completion.positionals.front()));
}

Names process_types(const Store& store, const Completion& completion, const std::string& end) {
  Names names;
  const auto app = app_of(store, completion);
  const auto release = app && app->live ? store.release(app->id, *app->live) : std::nullopt;
  if (!release) return names;
  for (const auto& process : release->processes) names.push_back(process.type.str() + end);
  return names;
}

Names setting_names(const Store& store, const Completion& completion, const std::string& end) {
  Names names;
  const auto app = app_of(store, completion);
  if (!app) return names;
  for (const auto& [name, setting] : store.settings(app->id)) names.push_back(name.str() + end);
  return names;
}

Names domain_names(const Store& store, const Completion& completion) {
  Names names;
  const auto app = app_of(store, completion);
  if (!app) return names;
  for (const auto& domain : store.domains(app->id)) names.push_back(domain.route.point.str());
  return names;
}

Names certificate_hosts(const Store& store) {
  Names names;
  for (const auto& certificate : store.certificates()) names.push_back(certificate.host.str());
  return names;
}

Names release_numbers(const Store& store, const Completion& completion) {
  Names names;
  const auto app = app_of(store, completion);
  if (!app) return names;
  for (const auto& release : store.releases(app->id)) names.push_back(std::to_string(release.number));
  return names;
}

Names stored_names(const Completion& completion, const std::vector<std::string>& words) {
  if (const auto user = value_before(words, "--user"); geteuid() == 0 || !user.empty()) become_user(user);
  const auto database = Layout(choose_root(value_before(words, "--root"))).database();
  if (!fs::exists(database)) return {};
  const Store store(database, kPatience);
  if (completion.value == "APP" || completion.value == "--app") return app_names(store);
  if (completion.value == "SERVICE") return service_names(store);
  if (completion.value == kSubject) {
    auto names = app_names(store);
    for (auto& name : service_names(store)) names.push_back(std::move(name));
    return names;
  }
  if (completion.value == "KEY") return key_names(store);
  if (completion.value == "--process" || completion.value == "TYPE") return process_types(store, completion, "");
  if (completion.value == "TYPE=NUMBER") return process_types(store, completion, "=");
  if (completion.value == "NAME" && completion.verb.starts_with("config ")) return setting_names(store, completion, "");
  if (completion.value == "HOST" && completion.verb.starts_with("cert ")) return certificate_hosts(store);
  if (completion.value == "HOST" && completion.verb == "domain remove") return domain_names(store, completion);
  if (completion.value == "NAME=VALUE") return setting_names(store, completion, "=");
  if (completion.value == "N" && completion.verb != "deployment") return release_numbers(store, completion);
  return {};
}

Names values_of(const Completion& completion, const std::vector<std::string>& words) {
  if (completion.value.empty()) return {};
  if (completion.value == "SHELL") return {"bash", "zsh", "fish"};
  if (completion.value == "SERVICE-TYPE") {
    Names names;
    for (const auto* type : service_types()) names.emplace_back(type->name());
    return names;
  }
  if (completion.value == "--role") return {"admin", "deploy", "view"};
  for (const char* file : {"FILE", "--root", "--page"}) {
    if (completion.value == file) return {std::string(kFiles)};
  }
  try {
    return stored_names(completion, words);
  } catch (const std::exception&) {  // the file system's are no Error
    return {};
  }
}

int print_script(const std::string& shell) {
  if (shell == "bash") {
    print(kBashCompletion);
  } else if (shell == "zsh") {
    print(kZshCompletion);
  } else if (shell == "fish") {
    print(kFishCompletion);
  } else {
    throw UsageError(fmt::format("there is no completion for {}", quoted(shell)), "known: bash, zsh, fish");
  }
  return kExitOk;
}

}  // namespace

int complete(const Grammar& grammar, const std::vector<std::string>& words) {
  auto completion = grammar.complete(words);
  // A list of apps: the last of them is being written.
  auto before = completion.before;
  if (completion.value == "--app") {
    if (const auto comma = completion.word.rfind(','); comma != std::string::npos) {
      before = completion.word.substr(0, comma + 1);
    }
  }
  for (auto& name : values_of(completion, words)) completion.candidates.push_back({before + name, ""});
  std::string text;
  for (const auto& [word, help] : completion.candidates) {
    if (word.ends_with(kFiles)) {
      text += fmt::format("{}\n", kFiles);
    } else if (word.starts_with(completion.word)) {
      text += help.empty() ? fmt::format("{}\n", word) : fmt::format("{}\t{}\n", word, help);
    }
  }
  print(text);
  return kExitOk;
}

void add_completion_verb(Grammar& grammar) {
  const auto shell = std::make_shared<std::string>();
  grammar
      .rootless("completion", "print the script that completes pushrod's commands in your shell",
                [shell] { return print_script(*shell); })
      .needs("SHELL", *shell, "bash, zsh or fish");
}

}  // namespace pushrod
