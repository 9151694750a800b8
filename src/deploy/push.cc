// From what proc-receive was asked to deployments, one per branch.
#include "deploy/push.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/condition.hh"
#include "os/stop_signal.hh"

namespace pushrod {

namespace {

Change change_of(const Platform& platform, const RepoName& repo, const RefCommand& command, const std::string& author) {
  const auto branch = branch_of(command.ref).value();
  return {command.after ? DeploymentKind::Push : DeploymentKind::Remove,
          repo,
          branch,
          platform.store.apps_of(repo, branch),
          command.after,
          command.before,
          author};
}

RefReport deploy_branch(const Platform& platform, const RefCommand& command, const Change& change, Journal& journal,
                        int cancel_fd, const PushRecords& records) {
  const auto& ref = command.ref;
  if (change.apps.empty()) return {ref, "no app runs from this branch now"};
  Observer observer;
  if (records.begin) observer.recorded = [&] { records.begin(command); };
  if (records.live) observer.live = [&] { records.live(command); };
  try {
    return {ref, deploy(platform, change, journal, cancel_fd, observer).refusal};
  } catch (const Error& error) {  // nothing was recorded
    if (records.undone) records.undone(command);
    journal.complaint(escaped(error.message()));
    if (!error.hint().empty()) journal.complaint(escaped(error.hint()));
    return {ref, error.message()};
  }
}

// A branch may have fallen back while those after it were deployed. Returns why it does not run what was pushed; empty
// when it does.
std::string tell_fallbacks(const Platform& platform, const RepoName& repo, const std::string& ref, Journal& journal) {
  for (const auto& app : platform.store.apps_of(repo, branch_of(ref).value())) {
    const auto note = fallback_note(platform, app);
    if (note.empty()) continue;
    journal.complaint(escaped(note));
    return note;
  }
  return {};
}

bool is_branch_to_deploy(const RefVerdict& verdict) { return verdict.fate == Fate::Deploy; }

// Why an atomic push cannot go on; empty when it can.
std::string why_not_atomic(const std::vector<RefVerdict>& verdicts) {
  const auto refused = std::find_if(verdicts.begin(), verdicts.end(),
                                    [](const RefVerdict& verdict) { return verdict.fate == Fate::Refuse; });
  if (refused != verdicts.end()) return fmt::format("atomic push, and {} is refused", refused->command.ref);
  if (std::count_if(verdicts.begin(), verdicts.end(), is_branch_to_deploy) > 1) {
    return "each branch goes live by itself: push them one by one, or without --atomic";
  }
  return {};
}

// What is refused even if the deployments succeed.
std::string refusal_of(const RefVerdict& verdict, const std::string& not_atomic) {
  return verdict.fate == Fate::Refuse ? verdict.refusal.reason : not_atomic;
}

}  // namespace

std::vector<RefReport> deploy_push(const Platform& platform, const RepoName& repo, const ProcReceiveRequest& request,
                                   const std::vector<RefVerdict>& verdicts, const std::string& author, Journal& journal,
                                   int cancel_fd, const PushRecords& records) {
  const auto& options = request.push_options;
  const auto has = [&](std::string_view option) {
    return std::find(options.begin(), options.end(), option) != options.end();
  };
  const auto not_atomic = request.atomic ? why_not_atomic(verdicts) : std::string{};
  std::vector<RefReport> reports;
  bool any_deployed = false;
  bool any_live = false;
  for (const auto& verdict : verdicts) {
    auto& report = reports.emplace_back(RefReport{verdict.command.ref, refusal_of(verdict, not_atomic)});
    if (!report.refusal.empty() || !is_branch_to_deploy(verdict)) continue;
    // What cancelled one branch was meant for that one: each has a lock of its own that says whom to tell.
    if (any_deployed) forget_stop_signals(cancel_fd);
    any_deployed = true;
    auto change = change_of(platform, repo, verdict.command, author);
    change.rebuild = has(kRebuild);
    change.no_cache = has(kNoCache);
    report = deploy_branch(platform, verdict.command, change, journal, cancel_fd, records);
  }
  for (std::size_t at = 0; at < reports.size(); ++at) {
    if (!is_branch_to_deploy(verdicts[at]) || !reports[at].refusal.empty()) continue;
    reports[at].refusal = tell_fallbacks(platform, repo, reports[at].ref, journal);
    any_live = any_live || reports[at].refusal.empty();
  }
  for (std::size_t at = 0; at < reports.size(); ++at) {
    if (verdicts[at].fate != Fate::Store || !reports[at].refusal.empty()) continue;
    reports[at].left_to_git = any_live || !verdicts[at].command.after;
    if (!reports[at].left_to_git) reports[at].refusal = "not stored: no branch that was pushed with it went live";
  }
  return reports;
}

}  // namespace pushrod
