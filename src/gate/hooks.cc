// git's hooks: pre-receive gives the verdict, proc-receive deploys.
// Both are this program under another name (run/hooks), started by git with the repository as its directory.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/dry_run.hh"
#include "deploy/push.hh"
#include "deploy/verdict.hh"
#include "gate/arrival.hh"
#include "gate/gate.hh"
#include "operate/audit.hh"
#include "os/command.hh"
#include "os/stop_signal.hh"
#include "tree/context.hh"

namespace pushrod {

namespace {

struct Hook {
  RepoName repo;
  Context context;
};

// Who pushes is told by the gate; without a gate it is the operator, on this machine.
Caller caller_of(Context& context) {
  const char* id = getenv("PUSHROD_KEY_ID");
  if (id == nullptr) return {};
  const auto number = parse_unsigned(id);
  auto key = number ? context.store().key(static_cast<std::int64_t>(*number)) : std::nullopt;
  if (!key) throw UserError("this key has been removed");
  const char* address = getenv("PUSHROD_ADDRESS");
  return {std::move(key), address != nullptr ? address : ""};
}

Hook open_hook() {
  const auto directory = std::filesystem::current_path();
  const auto root = directory.parent_path().parent_path();
  if (directory.extension() != ".git" || directory.parent_path() != Layout(root).repos()) {
    throw Error(fmt::format("{} is not a repository of Pushrod", quoted(directory.string())));
  }
  Hook hook{RepoName::parse(directory.stem().string()), Context(root, {})};
  hook.context.set_caller(caller_of(hook.context));
  return hook;
}

// The audit of a push: one record for each app of each branch.
class PushAudit {
 public:
  explicit PushAudit(Hook& hook) : hook_(hook) {}

  // What is recorded together with the deployments.
  PushRecords of_deployments() {
    return {[this](const RefCommand& command) { begin(command); },
            [this](const RefCommand& command) { records_.erase(command.ref); },
            [this](const RefCommand& command) {
              end({command.ref, {}});
              live_.insert(command.ref);
            }};
  }
  // What is not recorded yet.
  void finish(const ProcReceiveRequest& request, const std::vector<RefReport>& reports) {
    for (const auto& command : request.commands) {
      if (!records_.contains(command.ref)) begin(command);
    }
    for (const auto& report : reports) {
      if (!report.refusal.empty() || !live_.contains(report.ref)) end(report);
    }
  }

 private:
  void begin(const RefCommand& command) {
    const auto shown = [](const std::optional<CommitId>& commit) { return commit ? abbreviated(*commit) : "nothing"; };
    const auto branch = branch_of(command.ref);
    if (!branch) return;
    const auto detail = fmt::format("{} {}..{}", escaped(branch->str()), shown(command.before), shown(command.after));
    for (const auto& app : hook_.context.store().apps_of(hook_.repo, *branch)) {
      records_.emplace(command.ref, begin_audit(hook_.context, {{app.name.str(), "push", detail}}));
    }
  }
  void end(const RefReport& report) {
    const auto [first, last] = records_.equal_range(report.ref);
    for (auto record = first; record != last; ++record) {
      end_audit(hook_.context, record->second, report.refusal.empty() ? "done" : "failed: " + report.refusal);
    }
  }

  Hook& hook_;
  std::multimap<std::string, AuditRecords> records_;  // by the ref
  std::set<std::string> live_;                        // refs whose end is recorded
};

void tell(const Refusal& refusal, Journal& journal) {
  journal.complaint(escaped(refusal.reason));
  if (!refusal.hint.empty()) journal.complaint(escaped(refusal.hint));
}

bool is_refused(const RefVerdict& verdict) { return verdict.fate == Fate::Refuse; }

// A few of those with the same hint, which is said once: `git push --mirror` may bring thousands of refs, and git lists
// each refused one by itself.
void tell_refused_refs(const std::vector<RefVerdict>& verdicts, Journal& journal) {
  constexpr std::size_t kMostReasons = 10;
  std::vector<std::string> hints;
  for (const auto& [command, fate, refusal] : verdicts) {
    const bool told = std::find(hints.begin(), hints.end(), refusal.hint) != hints.end();
    if (fate == Fate::Refuse && !told) hints.push_back(refusal.hint);
  }
  for (const auto& hint : hints) {
    std::size_t count = 0;
    for (const auto& [command, fate, refusal] : verdicts) {
      if (fate != Fate::Refuse || refusal.hint != hint) continue;
      if (++count <= kMostReasons) journal.complaint(escaped(refusal.reason));
    }
    if (count > kMostReasons) journal.complaint(fmt::format("… and {} more", count - kMostReasons));
    if (!hint.empty()) journal.complaint(escaped(hint));
  }
}

}  // namespace

int pre_receive_hook() {
  const EndOfArrival end;
  const auto commands = read_pre_receive(STDIN_FILENO);
  auto hook = open_hook();
  const auto platform = hook.context.platform();
  const Repository repository(std::filesystem::current_path(), platform.settings.push_memory);
  const auto options = push_options_from_environment();
  Journal journal(STDERR_FILENO);
  const auto wrong_options = judge_options(commands, options);
  for (const auto& refusal : wrong_options) tell(refusal, journal);
  const auto verdicts = judge_push(platform, hook.repo, repository, commands, options, hook.context.caller().key);
  tell_refused_refs(verdicts, journal);
  const bool goes_on = wrong_options.empty() && !std::all_of(verdicts.begin(), verdicts.end(), is_refused);
  const bool is_dry_run = std::find(options.begin(), options.end(), kDryRun) != options.end();
  if (!is_dry_run) return goes_on ? kExitOk : kExitRequest;
  if (goes_on) tell_dry_run(platform, hook.repo, repository, verdicts, journal);
  journal.complaint("Dry run: nothing was changed. Git reports the push as declined.");
  return kExitRequest;
}

int proc_receive_hook() {
  leave_push_confinement();
  outlive_client();
  const int cancel_fd = stop_signal_fd();
  const auto request = read_proc_receive(STDIN_FILENO, STDOUT_FILENO);
  auto hook = open_hook();
  Journal journal(STDERR_FILENO);
  const auto platform = hook.context.platform();
  const Repository repository(std::filesystem::current_path(), platform.settings.push_memory);
  const auto verdicts =
      judge_again(platform, hook.repo, repository, request.commands, request.push_options, hook.context.caller().key);
  if (!request.atomic && std::any_of(verdicts.begin(), verdicts.end(), is_refused)) {
    journal.complaint("Only the refs above are refused; the rest of the push continues.");
  }
  PushAudit audit(hook);
  const auto reports = deploy_push(platform, hook.repo, request, verdicts, hook.context.caller().author(), journal,
                                   cancel_fd, audit.of_deployments());
  audit.finish(request, reports);
  write_proc_receive_report(STDOUT_FILENO, reports);
  return kExitOk;
}

}  // namespace pushrod
