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

namespace pushrod {

namespace {

struct Words {
  std::string name, new_name, repo, branch = "main", path, config, build_root;
  bool yes = false, with_services = false;
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

std::string names_of(const std::vector<BackingService>& services) {
  std::vector<std::string> names;
  for (const auto& service : services) names.push_back(service.name.str());
  return join(names, ", ");
}

[[noreturn]] void ask_for_confirmation(Context& context, const Words& words) {
  const auto [app, with_repo, services] = removal_of(context, words.app());
  auto message = fmt::format("this deletes app {} with its data, releases and logs", words.name);
  if (with_repo) message += fmt::format(", and repo {}, which no other app uses", app.repo.str());
  auto hint = fmt::format("to delete it: app destroy {} --yes", words.name);
  if (!services.empty() && words.with_services) {
    message += ", and with the data of its services " + names_of(services);
    hint += " --with-services";
  } else if (!services.empty()) {
    message += fmt::format("; its services stay, with their data: {}", names_of(services));
    hint += " (and --with-services deletes those, too)";
  }
  throw UserError(message, hint);
}

int app_destroy(Context& context, const Words& words) {
  if (!words.yes) ask_for_confirmation(context, words);
  const auto [app, with_repo, services] =
      words.with_services ? destroy_app_with_services(context, words.app()) : destroy_app(context, words.app());
  print(fmt::format("Deleted app {}{}.\n", words.name, with_repo ? " and repo " + app.repo.str() : ""));
  for (const auto& service : services) {
    print(words.with_services
              ? fmt::format("Deleted service {}.\n", service.name.str())
              : fmt::format("Service {0} stays, with its data. To delete it: service destroy {0} --yes\n",
                            service.name.str()));
  }
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
      .flag("--with-services", words->with_services, "the services that no other app uses as well")
      .flag("--yes", words->yes, "confirm");
}

}  // namespace pushrod
