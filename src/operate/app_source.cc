#include "operate/app_source.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/apps.hh"
#include "git/repository.hh"
#include "model/source.hh"
#include "operate/audit.hh"

namespace pushrod {

namespace {

Source edited(Source source, const SourceEdit& edit) {
  if (edit.repo) source.repo = *edit.repo;
  if (edit.branch) source.branch = *edit.branch;
  if (edit.path) source.path = parse_app_path(*edit.path);
  if (edit.config) source.config = edit.config->empty() ? std::string{} : parse_config_path(*edit.config);
  if (edit.build_root) source.build_root = *edit.build_root;
  if (edit.build_root == "") {
    source.build_root.reset();
  } else if (source.build_root) {  // one that stays must contain the path, too
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

std::string creating_an_app(const Source& source) {
  return fmt::format("create an app for it and push to that: app create NAME --repo {} --branch {}", source.repo.str(),
                     shell_quoted(source.branch.str()));
}

// What the app would run: the commit that the branch names. A branch that does not exist begins at the commit that the
// app runs now, which the repo must have.
void choose_commit(Session& session, const App& app, const Source& source, Change& change) {
  const auto repos = session.store().repos();
  if (std::find(repos.begin(), repos.end(), source.repo) == repos.end()) {
    throw UserError(fmt::format("there is no repo {}", source.repo.str()), creating_an_app(source));
  }
  change.previous = Repository(session.layout().repo(source.repo)).head_of(source.branch);
  if (change.previous) {
    change.commit = change.previous;
  } else if (source.repo == app.repo) {
    change.commit = session.store().release(app.id, *app.live)->commit;
  } else {
    throw UserError(fmt::format("branch {} of repo {} has no commit", quoted(source.branch.str()), source.repo.str()),
                    creating_an_app(source));
  }
}

Change deployment_from(Session& session, const App& app, const Source& source) {
  auto change = change_of(session, app, DeploymentKind::Set);
  change.repo = source.repo;
  change.branch = source.branch;
  change.detail = difference(app.source(), source);
  change.source = source;
  choose_commit(session, app, source, change);
  return change;
}

}  // namespace

SourceChange change_source(Session& session, const AppName& name, const SourceEdit& edit) {
  session.require_admin();
  const auto app = session.require_app(name, Right::Administer);
  SourceChange result{app, edited(app.source(), edit), false, {}};
  const auto detail = difference(app.source(), result.source);
  if (detail.empty()) return result;
  if (app.live) {
    result.change = deployment_from(session, app, result.source);
    return result;
  }
  audited(session, {name.str(), "app set", detail}, [&] { move_app(session.platform(), app, result.source); });
  result.is_saved = true;
  return result;
}

bool has_left_unused_branch(Session& session, const SourceChange& change) {
  const auto& before = change.before;
  if (before.repo == change.source.repo && before.branch == change.source.branch) return false;
  return session.store().apps_of(before.repo, before.branch).empty();
}

}  // namespace pushrod
