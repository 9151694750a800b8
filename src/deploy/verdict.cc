// The cheap verdict on a push.
// In order: each ref's name, its apps and the key's right to them, then the trees, at last the tags.
#include "deploy/verdict.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/control.hh"
#include "deploy/dry_run.hh"
#include "deploy/make_room.hh"
#include "deploy/push.hh"
#include "git/pushed.hh"
#include "git/tree_check.hh"
#include "model/rights.hh"

namespace pushrod {

namespace {

constexpr std::string_view kTagPrefix = "refs/tags/";
constexpr std::string_view kConfirm = "confirm=";

bool may_all(const std::optional<Key>& key, const std::vector<App>& apps, Right right) {
  return !key || std::all_of(apps.begin(), apps.end(), [&](const App& app) { return may(*key, app.name, right); });
}

// Only what the key may see is named: forbidden and missing look the same.
std::vector<App> visible_apps(const Platform& platform, const RepoName& repo, const std::optional<Key>& key) {
  auto apps = platform.store.apps_of(repo);
  std::erase_if(apps, [&](const App& app) { return !may_all(key, {app}, Right::See); });
  return apps;
}

std::string branches_of(const std::vector<App>& apps) {
  std::vector<std::string> known;
  for (const auto& app : apps) known.push_back(fmt::format("{} ({})", escaped(app.branch.str(), 80), app.name.str()));
  return join(known, ", ");
}

// "to deploy it: git push <remote> master:main", for what `source` names in the client's repository.
std::string how_to_deploy(const std::vector<App>& apps, const std::string& source, std::string_view prefix = {}) {
  if (apps.empty()) return "no branch of this repo has an app; create one: app create NAME --repo REPO --branch BRANCH";
  const auto& first = apps.front().branch;
  const bool only = std::all_of(apps.begin(), apps.end(), [&](const App& app) { return app.branch == first; });
  return fmt::format("branches with an app: {}; to deploy: git push <remote> {}", branches_of(apps),
                     shell_quoted(fmt::format("{}:{}{}", source, prefix, only ? first.str() : "BRANCH")));
}

std::optional<Refusal> judge_deletion(const RefCommand& command, const BranchName& branch, const std::vector<App>& apps,
                                      const std::vector<std::string>& options) {
  if (!command.before) return Refusal{fmt::format("there is no branch {}", quoted(branch.str())), ""};
  const auto confirmation = std::string(kConfirm) + branch.str();
  if (std::find(options.begin(), options.end(), confirmation) != options.end()) return std::nullopt;
  std::vector<std::string> names;
  names.reserve(apps.size());
  for (const auto& app : apps) names.push_back(app.name.str());
  return Refusal{fmt::format("deleting branch {} stops {}", quoted(branch.str()), join(names, ", ")),
                 fmt::format("if you mean it: git push -o {} --delete <remote> {}", shell_quoted(confirmation),
                             shell_quoted(branch.str()))};
}

RefVerdict refused(const RefCommand& command, Refusal refusal) { return {command, Fate::Refuse, std::move(refusal)}; }

RefVerdict judge_branch(const Platform& platform, const RepoName& repo, const RefCommand& command,
                        const BranchName& branch, const std::vector<std::string>& options,
                        const std::optional<Key>& key) {
  const auto apps = platform.store.apps_of(repo, branch);
  if (apps.empty() || !may_all(key, apps, Right::See)) {
    return refused(command, {fmt::format("branch {} of repo {} has no app", quoted(branch.str()), repo.str()),
                             how_to_deploy(visible_apps(platform, repo, key), branch.str())});
  }
  if (!may_all(key, apps, Right::Deploy)) {
    return refused(command, {refusal_of(*key, apps.front().name), remedy_for(*key, Right::Deploy)});
  }
  if (!command.after) {
    if (auto refusal = judge_deletion(command, branch, apps, options)) return refused(command, std::move(*refusal));
  }
  return {command, Fate::Deploy, {}};
}

RefVerdict judge_ref(const Platform& platform, const RepoName& repo, const RefCommand& command,
                     const std::vector<std::string>& options, const std::optional<Key>& key) {
  if (command.ref.starts_with(kTagPrefix)) return {command, Fate::Store, {}};
  if (const auto branch = branch_of(command.ref)) {
    return judge_branch(platform, repo, command, *branch, options, key);
  }
  return refused(command, {fmt::format("{} is not a branch", quoted(command.ref)),
                           "only branches that have an app can be pushed here, and tags together with them"});
}

void judge_tree(const Platform& platform, const RepoName& repo, const Repository& repository, RefVerdict& verdict) {
  const auto& command = verdict.command;
  if (verdict.fate != Fate::Deploy || !command.after) return;
  if (lacks_history(repository, *command.after)) {
    verdict =
        refused(command, {"this push comes from a shallow clone, which lacks older commits",
                          "fetch them, then push again: git fetch --unshallow (in a GitHub workflow: fetch-depth: 0)"});
    return;
  }
  const auto size = check_tree(repository, *command.after, platform.settings, true);
  const auto apps = platform.store.apps_of(repo, branch_of(command.ref).value());
  try {
    check_room(platform, size.bytes, apps.size());
  } catch (const UserError&) {
    wake_daemon(platform);  // it makes room where it can
    throw;
  }
}

std::size_t branches_to_deploy(const std::vector<RefVerdict>& verdicts) {
  return static_cast<std::size_t>(
      std::count_if(verdicts.begin(), verdicts.end(), [](const auto& each) { return each.fate == Fate::Deploy; }));
}

// True when nothing of the push can have passed pre-receive without its only branch.
bool hang_on_one_branch(const std::vector<RefVerdict>& verdicts) {
  return branches_to_deploy(verdicts) == 1 && std::none_of(verdicts.begin(), verdicts.end(), [](const auto& verdict) {
           return verdict.fate == Fate::Store && !verdict.command.after;
         });
}

// A tag by itself deploys nothing, which is not what its pusher expects.
void judge_tags(const Platform& platform, const RepoName& repo, const std::optional<Key>& key,
                std::vector<RefVerdict>& verdicts) {
  if (branches_to_deploy(verdicts) > 0) return;
  for (auto& verdict : verdicts) {
    if (verdict.fate != Fate::Store || !verdict.command.after) continue;
    const auto tag = verdict.command.ref.substr(kTagPrefix.size());
    verdict = refused(verdict.command, {fmt::format("tag {} is not a branch: a tag deploys nothing, and is stored only "
                                                    "together with a branch that is deployed",
                                                    quoted(tag)),
                                        how_to_deploy(visible_apps(platform, repo, key), tag + "^{}", kBranchRefs)});
  }
}

// Calls `judge` for the verdict; a UserError of it refuses the ref.
template <typename Judge>
void judged(RefVerdict& verdict, Judge judge) {
  try {
    judge();
  } catch (const UserError& error) {
    verdict = refused(verdict.command, {error.message(), error.hint()});
  }
}

std::vector<RefVerdict> judge_all(const Platform& platform, const RepoName& repo, const Repository& repository,
                                  const std::vector<RefCommand>& commands, const std::vector<std::string>& options,
                                  const std::optional<Key>& key, bool again) {
  std::vector<RefVerdict> verdicts;
  for (const auto& command : commands) {
    auto& verdict = verdicts.emplace_back(RefVerdict{command, Fate::Refuse, {}});
    judged(verdict, [&] { verdict = judge_ref(platform, repo, command, options, key); });
  }
  if (!again || !hang_on_one_branch(verdicts)) {
    for (auto& verdict : verdicts) judged(verdict, [&] { judge_tree(platform, repo, repository, verdict); });
  }
  judge_tags(platform, repo, key, verdicts);
  return verdicts;
}

std::optional<Refusal> judge_option(const std::string& option, const std::vector<RefCommand>& commands) {
  const bool confirms =
      option.starts_with(kConfirm) && std::any_of(commands.begin(), commands.end(), [&](const RefCommand& command) {
        return !command.after && command.ref == fmt::format("{}{}", kBranchRefs, option.substr(kConfirm.size()));
      });
  if (confirms || option == kDryRun || option == kRebuild || option == kNoCache) return std::nullopt;
  return Refusal{fmt::format("unknown push option {}", quoted(option)),
                 "known: dry-run; no-cache; rebuild; confirm=BRANCH, together with the deletion of that branch"};
}

}  // namespace

std::vector<Refusal> judge_options(const std::vector<RefCommand>& commands, const std::vector<std::string>& options) {
  std::vector<Refusal> refusals;
  for (const auto& option : options) {
    if (auto refusal = judge_option(option, commands)) refusals.push_back(std::move(*refusal));
  }
  return refusals;
}

std::vector<RefVerdict> judge_push(const Platform& platform, const RepoName& repo, const Repository& repository,
                                   const std::vector<RefCommand>& commands, const std::vector<std::string>& options,
                                   const std::optional<Key>& key) {
  auto verdicts = judge_all(platform, repo, repository, commands, options, key, false);
  if (branches_to_deploy(verdicts) > 0) platform.engine.check_ready();
  return verdicts;
}

std::vector<RefVerdict> judge_again(const Platform& platform, const RepoName& repo, const Repository& repository,
                                    const std::vector<RefCommand>& commands, const std::vector<std::string>& options,
                                    const std::optional<Key>& key) {
  return judge_all(platform, repo, repository, commands, options, key, true);
}

}  // namespace pushrod
