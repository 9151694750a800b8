// app set: another branch, repo, directory or manifest for an app.
#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/change.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/app_source.hh"

namespace pushrod {

namespace {

struct Words {
  std::string app;
  std::optional<std::string> repo, branch, path, config, build_root;
  bool is_empty() const { return !repo && !branch && !path && !config && !build_root; }
};

SourceEdit parse_edit(const Words& words) {
  SourceEdit edit{{}, {}, words.path, words.config, words.build_root};
  if (words.repo) edit.repo = RepoName::parse(*words.repo);
  if (words.branch) edit.branch = BranchName::parse(*words.branch);
  return edit;
}

int deploy_source(Context& context, const SourceChange& result) {
  const int code = run_change(context, *result.change);
  if (code == kExitOk && has_left_unused_branch(context, result)) {
    print(fmt::format("Branch {} of repo {} is unchanged. No app runs from it now.\n",
                      quoted(result.before.branch.str()), result.before.repo.str()));
  }
  return code;
}

int app_set(Context& context, const Words& words) {
  if (words.is_empty()) {
    throw UserError("nothing to set",
                    fmt::format("name what changes, for example: app set {} --branch next", words.app));
  }
  const auto result = change_source(context, AppName::parse(words.app), parse_edit(words));
  if (result.change) return deploy_source(context, result);
  print(result.is_saved ? fmt::format("App {} will run from branch {} of repo {}. To deploy it, push to that branch.\n",
                                      words.app, quoted(result.source.branch.str()), result.source.repo.str())
                        : fmt::format("No change: {} already comes from there.\n", words.app));
  return kExitOk;
}

}  // namespace

void add_app_set_verb(Grammar& grammar) {
  const auto words = std::make_shared<Words>();
  grammar
      .verb("app", "set", "take an app's code from another branch, repo or directory",
            [words](Context& context) { return app_set(context, *words); })
      .app(words->app)
      .option("--branch", words->branch, "the branch")
      .option("--repo", words->repo, "the repo")
      .option("--path", words->path, "its directory in the repo (empty: the root)")
      .option("--config", words->config, "the file of the repo that is its manifest (empty: pushrod.toml)")
      .option("--build-root", words->build_root, "a directory above its path that is built (empty: its path)");
}

}  // namespace pushrod
