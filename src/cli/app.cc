// app create, list, info, destroy; repo list.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/audited.hh"
#include "cli/change.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "deploy/apps.hh"
#include "deploy/condition.hh"
#include "deploy/fallback.hh"
#include "deploy/traffic.hh"
#include "git/repository.hh"
#include "model/source.hh"

namespace pushrod {

namespace {

std::string ssh_url(const Settings& settings, const RepoName& repo) {
  const auto user = Caller{}.author().substr(std::string_view("local:").size());
  return fmt::format("ssh://{}@{}:{}/{}", user, settings.domain, settings.ssh.port, repo.str());
}

std::string state_of(const AppSummary& summary, const AppCondition& condition) {
  return summary.last && !is_final(summary.last->state) ? "deploying" : condition.state;
}

// "2", or "1 of 2" when some do not run.
std::string instances_of(const AppSummary& summary, const AppCondition& condition) {
  const auto running = condition.running();
  const bool all = running >= summary.instances_wanted || condition.state == "asleep";
  return all ? std::to_string(summary.instances_wanted) : fmt::format("{} of {}", running, summary.instances_wanted);
}

Json json_of(const Platform& platform, const App& app) {
  return {{"app", app.name.str()},
          {"repo", app.repo.str()},
          {"branch", app.branch.str()},
          {"path", app.path},
          {"config", manifest_of(app.source())},
          {"build_root", app.build_root ? Json(*app.build_root) : Json(nullptr)},
          {"release", app.live ? Json(*app.live) : Json(nullptr)},
          {"url", url_of(platform, app.name)},
          {"created", iso_time(app.created)}};
}

// Where an app's code comes from, as options say it.
struct SourceWords {
  std::string repo, branch = "main", path, config, build_root;
};

Source source_from(const SourceWords& words, const std::string& app) {
  Source source{RepoName::parse(words.repo.empty() ? app : words.repo), BranchName::parse(words.branch),
                parse_app_path(words.path)};
  if (!words.config.empty()) source.config = parse_config_path(words.config);
  if (!words.build_root.empty()) {
    source.build_root = parse_build_root(words.build_root, source.path, BuildRootForm::InRepo);
  }
  return source;
}

std::string described(const Source& source) {
  auto text = fmt::format("repo {}, branch {}", source.repo.str(), escaped(source.branch.str()));
  if (!source.path.empty()) text += ", path " + escaped(source.path);
  if (!source.config.empty()) text += ", config " + escaped(source.config);
  if (source.build_root) text += ", build root " + (source.build_root->empty() ? "." : escaped(*source.build_root));
  return text;
}

int app_create(Context& context, const std::string& name, const SourceWords& words) {
  context.require_admin();
  const auto platform = context.platform();
  const auto app_name = AppName::parse(name);
  const auto source = source_from(words, name);
  audited(context, {name, "app create", described(source)}, [&] { create_app(platform, app_name, source); });
  const auto app = context.store().app(app_name).value();
  const auto url = ssh_url(context.settings(), app.repo);
  print(fmt::format("App {} runs from branch {} of repo {}.\n", app.name.str(), quoted(app.branch.str()),
                    app.repo.str()));
  const auto head = Repository(context.layout().repo(app.repo)).head_of(app.branch);
  if (head) {
    print(fmt::format("The branch is at {} already. Deploy it: pushrod redeploy {}\n", abbreviated(*head),
                      app.name.str()));
  } else {
    print(fmt::format("Deploy it: git push {} {}\n", url,
                      app.branch.str() == "main" ? "main" : shell_quoted("HEAD:" + app.branch.str())));
  }
  print(fmt::format("It will answer at {}\n", url_of(platform, app.name)));
  return kExitOk;
}

int app_list(Context& context, bool json) {
  const auto& settings = context.settings();
  auto summaries = context.store().app_summaries();
  std::erase_if(summaries, [&](const AppSummary& summary) { return !context.may(summary.app.name, Right::See); });
  const auto conditions = conditions_of_apps(context.platform());
  const auto condition = [&](const AppSummary& summary) {
    const auto found = conditions.find(summary.app.name);
    return found == conditions.end() ? AppCondition{} : found->second;  // made in this moment
  };
  if (json) {
    auto list = Json::array();
    for (const auto& summary : summaries) {
      list.push_back(
          {{"app", summary.app.name.str()},
           {"state", state_of(summary, condition(summary))},
           {"traffic", condition(summary).traffic},
           {"release", summary.app.live ? Json(*summary.app.live) : Json(nullptr)},
           {"instances", summary.instances_wanted},
           {"running", condition(summary).running()},
           {"repo", summary.app.repo.str()},
           {"branch", summary.app.branch.str()},
           {"url", url_of({context.layout(), settings, context.store(), context.engine()}, summary.app.name)}});
    }
    print_json(list);
    return kExitOk;
  }
  if (summaries.empty()) {
    print("There are no apps. Make one: pushrod app create NAME\n");
    return kExitOk;
  }
  context.note_if_down();
  Table table({"APP", "STATE", "RELEASE", "INSTANCES", "REPO", "BRANCH"});
  for (const auto& summary : summaries) {
    table.add({summary.app.name.str(), state_of(summary, condition(summary)),
               summary.app.live ? std::to_string(*summary.app.live) : "-", instances_of(summary, condition(summary)),
               summary.app.repo.str(), summary.app.branch.str()});
  }
  print(table.str());
  return kExitOk;
}

int app_info(Context& context, const std::string& name, bool json) {
  const auto app = context.require_app(name, Right::See);
  const auto platform = context.platform();
  const auto release = app.live ? context.store().release(app.id, *app.live) : std::nullopt;
  const auto last = list_deployments(context, app.name, 1);
  const auto condition = condition_of(platform, app);
  const auto watch = context.store().watch(app.id);
  const auto note = fallback_note(platform, app);
  if (json) {
    auto value = json_of(platform, app);
    value["state"] = condition.state;
    value["traffic"] = condition.traffic;
    value["watched"] = watch ? Json(watch->previous) : Json(nullptr);
    value["fallback"] = note.empty() ? Json(nullptr) : Json(note);
    value["push"] = ssh_url(context.settings(), app.repo);
    if (release) {
      value["commit"] = release->commit.str();
      value["builder"] = release->builder;
      for (const auto& process : release->processes) {
        value["processes"].push_back(
            {{"type", process.type.str()}, {"command", process.command}, {"count", process.count}});
      }
    }
    print_json(value);
    return kExitOk;
  }
  std::string text =
      fmt::format("{}\n  url        {}\n  push to    {}  branch {}\n", app.name.str(), url_of(platform, app.name),
                  ssh_url(context.settings(), app.repo), escaped(app.branch.str()));
  text += fmt::format("  state      {}\n  requests   {}\n", condition.state, condition.traffic);
  for (const auto& problem : problems_of(condition)) text += fmt::format("             {}\n", problem);
  if (!app.path.empty()) text += fmt::format("  path       {}\n", escaped(app.path));
  if (!app.config.empty()) text += fmt::format("  config     {}\n", escaped(app.config));
  const auto source = release ? release->source : app.source();
  if (root_of(source) != source.path) {
    text += fmt::format("  build root {}\n", root_of(source).empty() ? "." : escaped(root_of(source)));
  }
  if (release) {
    text += fmt::format("  release    {}  commit {}  since {}\n", release->number, abbreviated(release->commit),
                        format_time(release->created));
    if (watch)
      text += fmt::format("             watched: falls back to release {} if it keeps ending\n", watch->previous);
    if (!note.empty()) text += fmt::format("             {}\n", escaped(note));
    if (app.stopped) {
      const bool has_reason = !last.empty() && last.front().deployment.kind == DeploymentKind::Stop &&
                              !last.front().deployment.detail.empty();
      text += fmt::format("             stopped{}; `start {}` runs it\n",
                          has_reason ? " because " + escaped(last.front().deployment.detail) : "", app.name.str());
    }
    for (const auto& process : release->processes) {
      text +=
          fmt::format("  process    {} × {}: {}\n", process.type.str(), process.count, escaped(process.command, 200));
    }
  } else {
    text += "  release    none: not deployed\n";
  }
  if (!last.empty()) {
    text += fmt::format("  last       deployment {}: {}{}\n", last.front().deployment.number, shown_state(last.front()),
                        last.front().deployment.error.empty() ? "" : ", " + escaped(last.front().deployment.error));
  }
  print(text);
  return kExitOk;
}

int app_destroy(Context& context, const std::string& name, bool yes) {
  const auto app = context.require_app(name, Right::Administer);
  const bool last = context.store().apps_of(app.repo).size() == 1;
  if (!yes) {
    throw UserError(fmt::format("this deletes app {} with its data, releases and logs{}", app.name.str(),
                                last ? fmt::format(", and repo {}, which no other app uses", app.repo.str()) : ""),
                    fmt::format("if you mean it: app destroy {} --yes", app.name.str()));
  }
  audited(context, {app.name.str(), "app destroy", ""}, [&] { destroy_app(context.platform(), app); });
  print(fmt::format("App {} is gone{}.\n", app.name.str(),
                    last ? fmt::format(", and so is repo {}", app.repo.str()) : ""));
  return kExitOk;
}

int repo_list(Context& context, bool json) {
  std::map<RepoName, std::vector<App>> repos;
  for (auto& app : context.store().apps()) {
    if (context.may(app.name, Right::See)) repos[app.repo].push_back(app);
  }
  auto list = Json::array();
  Table table({"REPO", "BRANCH", "APPS"});
  for (const auto& [repo, apps] : repos) {
    std::map<std::string, std::vector<std::string>> branches;
    for (const auto& app : apps) branches[app.branch.str()].push_back(app.name.str());
    Json described = {{"repo", repo.str()}, {"url", ssh_url(context.settings(), repo)}, {"branches", Json::array()}};
    for (const auto& [branch, names] : branches) {
      described["branches"].push_back({{"branch", branch}, {"apps", names}});
      table.add({repo.str(), branch, join(names, ", ")});
    }
    list.push_back(std::move(described));
  }
  if (json) {
    print_json(list);
  } else {
    print(table.is_empty() ? "There are no repos. The first app makes one: pushrod app create NAME\n" : table.str());
  }
  return kExitOk;
}

}  // namespace

void add_app_verbs(Grammar& grammar) {
  struct Words {
    std::string name;
    SourceWords source;
    bool json = false, yes = false;
  };
  const auto words = std::make_shared<Words>();
  grammar.describe_group("app", "make, list, show and destroy apps");
  grammar
      .verb("app", "create", "make an app that runs a branch of a repo",
            [words](Context& context) { return app_create(context, words->name, words->source); })
      .needs("NAME", words->name, "its name")
      .option("--repo", words->source.repo, "the repo (default: the app's name)")
      .option("--branch", words->source.branch, "the branch (default: main)")
      .option("--path", words->source.path, "its directory in the repo (default: the root)")
      .option("--config", words->source.config, "the file of the repo that is its manifest (default: pushrod.toml)")
      .option("--build-root", words->source.build_root, "a directory above its path that is built (default: its path)");
  grammar.verb("app", "list", "all apps", [words](Context& context) { return app_list(context, words->json); })
      .json(words->json);
  grammar
      .verb("app", "info", "one app", [words](Context& context) { return app_info(context, words->name, words->json); })
      .app(words->name)
      .json(words->json);
  grammar
      .verb("app", "destroy", "delete an app and all that is its own",
            [words](Context& context) { return app_destroy(context, words->name, words->yes); })
      .app(words->name)
      .flag("--yes", words->yes, "yes, delete it");
  grammar.describe_group("repo", "the repos");
  grammar
      .verb("repo", "list", "all repos, their branches and apps",
            [words](Context& context) { return repo_list(context, words->json); })
      .json(words->json);
}

}  // namespace pushrod
