// app create, rename, destroy.
#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/change.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "model/source.hh"
#include "operate/apps.hh"
#include "operate/attachments.hh"

namespace pushrod {

namespace {

struct Words {
  std::string name, new_name, repo, branch = "main", path, config, build_root;
  bool yes = false;
  AppName app() const { return AppName::parse(name); }
};

Source parse_source(const Words& words) {
  Source source{RepoName::parse(words.repo.empty() ? words.name : words.repo), BranchName::parse(words.branch),
                parse_app_path(words.path)};
  if (!words.config.empty()) source.config = parse_config_path(words.config);
  if (!words.build_root.empty()) {
    source.build_root = parse_build_root(words.build_root, source.path, BuildRootForm::InRepo);
  }
  return source;
}

int app_create(Context& context, const Words& words) {
  const auto created = create_app(context, words.app(), parse_source(words));
  const auto& app = created.app;
  print(fmt::format("App {} runs from branch {} of repo {}.\n", app.name.str(), quoted(app.branch.str()),
                    app.repo.str()));
  if (created.commit) {
    print(fmt::format("The branch is already at commit {}. Deploy it: pushrod redeploy {}\n",
                      abbreviated(*created.commit), app.name.str()));
  } else {
    print(fmt::format("Deploy it: git push {} {}\n", created.push_url,
                      app.branch.str() == "main" ? "main" : shell_quoted("HEAD:" + app.branch.str())));
  }
  print(fmt::format("It will answer at {}\n", created.url));
  return kExitOk;
}

int app_rename(Context& context, const Words& words) {
  const auto change = rename_change(context, words.app(), AppName::parse(words.new_name));
  const int code = run_change(context, change);
  if (code == kExitOk) {
    print(fmt::format("The repo keeps its name, {}, and so does the address to push to.\n", change.repo.str()));
  }
  return code;
}

// "; its services stay, with their data: …"
std::string told_services(Context& context, const App& app) {
  std::string text;
  for (const auto& service : services_left_by(context, app)) {
    text += fmt::format("; service {} stays, with its data (to delete it: service destroy {} --yes)",
                        service.name.str(), service.name.str());
  }
  return text;
}

int app_destroy(Context& context, const Words& words) {
  if (!words.yes) {
    const auto [app, with_repo] = removal_of(context, words.app());
    throw UserError(
        fmt::format("this deletes app {} with its data, releases and logs{}", words.name,
                    with_repo ? fmt::format(", and repo {}, which no other app uses", app.repo.str()) : "") +
            told_services(context, app),
        fmt::format("to delete it: app destroy {} --yes", words.name));
  }
  const auto services = told_services(context, context.require_app(words.name, Right::Administer));
  const auto [app, with_repo] = destroy_app(context, words.app());
  print(fmt::format("Deleted app {}{}.\n", words.name, with_repo ? " and repo " + app.repo.str() : ""));
  if (!services.empty()) print(services.substr(2) + "\n");
  return kExitOk;
}

}  // namespace

void add_app_verbs(Grammar& grammar) {
  const auto words = std::make_shared<Words>();
  grammar.describe_group("app", "create, list, show, change and destroy apps");
  grammar
      .verb("app", "create", "create an app that runs a branch of a repo",
            [words](Context& context) { return app_create(context, *words); })
      .needs("NAME", words->name, "its name")
      .option("--repo", words->repo, "the repo (default: the app's name)")
      .option("--branch", words->branch, "the branch (default: main)")
      .option("--path", words->path, "its directory in the repo (default: the root)")
      .option("--config", words->config, "the file of the repo that is its manifest (default: pushrod.toml)")
      .option("--build-root", words->build_root, "a directory above its path that is built (default: its path)");
  grammar
      .verb("app", "rename", "give an app another name",
            [words](Context& context) { return app_rename(context, *words); })
      .app(words->name)
      .needs("NEW", words->new_name, "its new name");
  grammar
      .verb("app", "destroy", "delete an app with its data, releases and logs",
            [words](Context& context) { return app_destroy(context, *words); })
      .app(words->name)
      .flag("--yes", words->yes, "confirm");
}

}  // namespace pushrod
