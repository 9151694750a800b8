// From what proc-receive was asked to deployments, one per branch.
// Floor 6.
#include "deploy/push.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/fallback.hh"
#include "git/tree_check.hh"
#include "os/stop_signal.hh"

namespace pushrod {

namespace {

constexpr std::size_t kBranchPrefixLength = std::string_view("refs/heads/").size();

Outcome deploy_branch(const Platform& platform, const RepoName& repo, const RefCommand& command,
                      const std::string& author, bool rebuild, Journal& journal, int cancel_fd) {
  const auto branch = BranchName::parse(command.ref.substr(kBranchPrefixLength));
  const auto apps = platform.store.apps_of(repo, branch);
  if (apps.empty()) return {false, "no app runs from this branch any more"};
  Change change{command.after ? DeploymentKind::Push : DeploymentKind::Remove,
                repo,
                branch,
                apps,
                command.after,
                command.before,
                author};
  change.rebuild = rebuild;
  return deploy(platform, change, journal, cancel_fd);
}

// A branch may have fallen back while those after it were deployed. Returns why it does not run what was pushed; empty
// when it does.
std::string tell_fallbacks(const Platform& platform, const RepoName& repo, const std::string& ref, Journal& journal) {
  for (const auto& app : platform.store.apps_of(repo, BranchName::parse(ref.substr(kBranchPrefixLength)))) {
    const auto note = fallback_note(platform, app);
    if (note.empty()) continue;
    journal.complaint(escaped(note));
    return note;
  }
  return {};
}

}  // namespace

std::vector<RefReport> deploy_push(const Platform& platform, const RepoName& repo, const ProcReceiveRequest& request,
                                   const std::string& author, Journal& journal, int cancel_fd) {
  const auto& options = request.push_options;
  const bool rebuild = std::find(options.begin(), options.end(), kRebuild) != options.end();
  std::vector<RefReport> reports;
  for (const auto& command : request.commands) {
    if (request.atomic && request.commands.size() > 1) {
      reports.push_back({command.ref, "each branch goes live by itself: push them one by one, or without --atomic"});
      continue;
    }
    // What cancelled one branch was meant for that one: each has a lock of its own that says whom to tell.
    if (!reports.empty()) forget_stop_signals(cancel_fd);
    try {
      reports.push_back(
          {command.ref, deploy_branch(platform, repo, command, author, rebuild, journal, cancel_fd).refusal});
    } catch (const Error& error) {
      journal.complaint(escaped(error.message()));
      if (!error.hint().empty()) journal.complaint(escaped(error.hint()));
      reports.push_back({command.ref, error.message()});
    }
  }
  for (auto& report : reports) {
    if (report.refusal.empty()) report.refusal = tell_fallbacks(platform, repo, report.ref, journal);
  }
  return reports;
}

}  // namespace pushrod
