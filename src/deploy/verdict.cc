// The cheap verdict on a push.
// Floor 6. In order: the options, each ref's name, its app and the key's right to it, then the trees.
#include "deploy/verdict.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/deploy.hh"
#include "deploy/dry_run.hh"
#include "deploy/make_room.hh"
#include "deploy/push.hh"
#include "git/tree_check.hh"
#include "model/rights.hh"

namespace pushrod {

namespace {

constexpr std::string_view kBranchPrefix = "refs/heads/";
constexpr std::string_view kConfirm = "confirm=";

bool may_all(const std::optional<Key>& key, const std::vector<App>& apps, Right right) {
  return !key || std::all_of(apps.begin(), apps.end(), [&](const App& app) { return may(*key, app.name, right); });
}

// Only what the key may see is named: forbidden and missing look the same.
std::string branches_with_apps(const Platform& platform, const RepoName& repo, const std::optional<Key>& key) {
  std::vector<std::string> known;
  for (const auto& app : platform.store.apps_of(repo)) {
    if (may_all(key, {app}, Right::See))
      known.push_back(fmt::format("{} ({})", escaped(app.branch.str(), 80), app.name.str()));
  }
  return known.empty() ? "no branch of this repo has one" : "branches that have one: " + join(known, ", ");
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

std::optional<Refusal> judge_ref(const Platform& platform, const RepoName& repo, const Repository& repository,
                                 const RefCommand& command, const std::vector<std::string>& options,
                                 const std::optional<Key>& key) {
  if (!command.ref.starts_with(kBranchPrefix)) {
    return Refusal{fmt::format("{} is not a branch", quoted(command.ref)),
                   "only branches can be pushed here, and only those with an app"};
  }
  const auto branch = BranchName::parse(command.ref.substr(kBranchPrefix.size()));
  const auto apps = platform.store.apps_of(repo, branch);
  if (apps.empty() || !may_all(key, apps, Right::See)) {
    return Refusal{fmt::format("branch {} of repo {} has no app", quoted(branch.str()), repo.str()),
                   branches_with_apps(platform, repo, key)};
  }
  if (!may_all(key, apps, Right::Deploy)) {
    return Refusal{refusal_of(*key, apps.front().name), remedy_for(*key, Right::Deploy)};
  }
  if (!command.after) return judge_deletion(command, branch, apps, options);
  const auto size = check_tree(repository, *command.after, platform.settings, true);
  try {
    check_room(platform, size.bytes, apps.size());
  } catch (const UserError&) {
    wake_daemon(platform);  // it makes room where it can
    throw;
  }
  return std::nullopt;
}

std::optional<Refusal> judge_option(const std::string& option, const std::vector<RefCommand>& commands) {
  const bool confirms =
      option.starts_with(kConfirm) && std::any_of(commands.begin(), commands.end(), [&](const RefCommand& command) {
        return !command.after && command.ref == std::string(kBranchPrefix) + option.substr(kConfirm.size());
      });
  if (confirms || option == kDryRun || option == kRebuild) return std::nullopt;
  return Refusal{fmt::format("unknown push option {}", quoted(option)),
                 "known: dry-run; rebuild; confirm=BRANCH, together with the deletion of that branch"};
}

}  // namespace

std::vector<Refusal> judge_push(const Platform& platform, const RepoName& repo, const Repository& repository,
                                const std::vector<RefCommand>& commands, const std::vector<std::string>& push_options,
                                const std::optional<Key>& key) {
  std::vector<Refusal> refusals;
  for (const auto& option : push_options) {
    if (auto refusal = judge_option(option, commands)) refusals.push_back(std::move(*refusal));
  }
  for (const auto& command : commands) {
    try {
      if (auto refusal = judge_ref(platform, repo, repository, command, push_options, key)) {
        refusals.push_back(std::move(*refusal));
      }
    } catch (const UserError& error) {
      refusals.push_back({error.message(), error.hint()});
    }
  }
  if (refusals.empty()) platform.engine.check_ready();
  return refusals;
}

}  // namespace pushrod
