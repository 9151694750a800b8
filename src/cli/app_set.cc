// app set: another branch, repo, directory or manifest for an app.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/audited.hh"
#include "cli/change.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "deploy/apps.hh"
#include "git/repository.hh"
#include "model/source.hh"

namespace pushrod {

namespace {

// As options say it; absent: as it is. An empty value is the default.
struct SourceChange {
  std::optional<std::string> repo, branch, path, config, build_root;

  bool is_empty() const { return !repo && !branch && !path && !config && !build_root; }
};

Source changed(Source source, const SourceChange& change) {
  if (change.repo) source.repo = RepoName::parse(*change.repo);
  if (change.branch) source.branch = BranchName::parse(*change.branch);
  if (change.path) source.path = parse_app_path(*change.path);
  if (change.config) source.config = change.config->empty() ? std::string{} : parse_config_path(*change.config);
  if (change.build_root) source.build_root = *change.build_root;
  // Also one that stays must contain the path.
  if (change.build_root == "") {
    source.build_root.reset();
  } else if (source.build_root) {
    const auto root = source.build_root->empty() ? "." : *source.build_root;
    source.build_root = parse_build_root(root, source.path, BuildRootForm::InRepo);
  }
  return source;
}

std::string named(const std::string& directory) { return directory.empty() ? "the root" : quoted(directory); }

std::string named(const std::optional<std::string>& root) { return root ? named(*root) : "the default"; }

std::string chosen(const std::string& config) { return config.empty() ? "pushrod.toml" : quoted(config); }

// "branch main to next, path the root to services/api".
std::string difference(const Source& from, const Source& to) {
  std::vector<std::string> changes;
  const auto add = [&](std::string_view what, const std::string& before, const std::string& after) {
    if (before != after) changes.push_back(fmt::format("{} {} to {}", what, before, after));
  };
  add("repo", from.repo.str(), to.repo.str());
  add("branch", quoted(from.branch.str()), quoted(to.branch.str()));
  add("path", named(from.path), named(to.path));
  add("config", chosen(from.config), chosen(to.config));
  add("build root", named(from.build_root), named(to.build_root));
  return join(changes, ", ");
}

// What the app would run: the branch's tip. A branch that is not there yet begins at what the app runs now, which the
// repo must have.
void choose_commit(Context& context, const App& app, const Source& source, Change& change) {
  const auto repos = context.store().repos();
  if (std::find(repos.begin(), repos.end(), source.repo) == repos.end()) {
    throw UserError(
        fmt::format("there is no repo {}", source.repo.str()),
        fmt::format("make it with an app of its own, and push to that: app create NAME --repo {} --branch {}",
                    source.repo.str(), shell_quoted(source.branch.str())));
  }
  change.previous = Repository(context.layout().repo(source.repo)).head_of(source.branch);
  if (change.previous) {
    change.commit = change.previous;
  } else if (source.repo == app.repo) {
    change.commit = context.store().release(app.id, *app.live)->commit;
  } else {
    throw UserError(fmt::format("branch {} of repo {} has no commit", quoted(source.branch.str()), source.repo.str()),
                    fmt::format("make an app for it, and push to that: app create NAME --repo {} --branch {}",
                                source.repo.str(), shell_quoted(source.branch.str())));
  }
}

void tell_about_old_branch(Context& context, const App& before, const Source& source) {
  if (before.repo == source.repo && before.branch == source.branch) return;
  if (!context.store().apps_of(before.repo, before.branch).empty()) return;
  print(fmt::format("Branch {} of repo {} stays as it is; no app runs from it.\n", quoted(before.branch.str()),
                    before.repo.str()));
}

int set_deployed(Context& context, const App& app, const Source& source, const std::string& detail) {
  auto change = change_of(context, app, DeploymentKind::Set);
  change.repo = source.repo;
  change.branch = source.branch;
  change.detail = detail;
  change.source = source;
  choose_commit(context, app, source, change);
  const int code = run_change(context, change);
  if (code == kExitOk) tell_about_old_branch(context, app, source);
  return code;
}

int set_new(Context& context, const App& app, const Source& source, const std::string& detail) {
  audited(context, {app.name.str(), "app set", detail}, [&] { move_app(context.platform(), app, source); });
  print(fmt::format("App {} runs from branch {} of repo {} when it is deployed: push to that branch.\n", app.name.str(),
                    quoted(source.branch.str()), source.repo.str()));
  return kExitOk;
}

int app_set(Context& context, const std::string& name, const SourceChange& words) {
  context.require_admin();  // repos and branches belong to the machine
  const auto app = context.require_app(name, Right::Administer);
  if (words.is_empty()) {
    throw UserError("nothing to set", fmt::format("name what changes, for example: app set {} --branch next", name));
  }
  const auto source = changed(app.source(), words);
  const auto detail = difference(app.source(), source);
  if (detail.empty()) {
    print(fmt::format("No change: {} already comes from there.\n", name));
    return kExitOk;
  }
  return app.live ? set_deployed(context, app, source, detail) : set_new(context, app, source, detail);
}

}  // namespace

void add_app_set_verb(Grammar& grammar) {
  struct Words {
    std::string name;
    SourceChange change;
  };
  const auto words = std::make_shared<Words>();
  grammar
      .verb("app", "set", "take an app's code from another branch, repo or directory",
            [words](Context& context) { return app_set(context, words->name, words->change); })
      .app(words->name)
      .option("--branch", words->change.branch, "the branch")
      .option("--repo", words->change.repo, "the repo")
      .option("--path", words->change.path, "its directory in the repo (empty: the root)")
      .option("--config", words->change.config, "the file of the repo that is its manifest (empty: pushrod.toml)")
      .option("--build-root", words->change.build_root, "a directory above its path that is built (empty: its path)");
}

}  // namespace pushrod
