// The words of a deployment. What is said of each kind stands in its row (model/deployment_kind.hh).
#include "deploy/narration.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/condition.hh"
#include "deploy/kept_build.hh"
#include "deploy/traffic.hh"

namespace pushrod {

namespace {

// "blog: the build failed", where several apps are deployed together and the message does not name its own.
std::string with_subject(const Run& run, const std::string& message) {
  if (!run.subject || message.starts_with(run.subject->str())) return message;
  return fmt::format("{}: {}", run.subject->str(), message);
}

// The last words of the instance that kept ending stand in the log of the fallback.
void tell_why_it_falls_back(Run& run) {
  for (const auto& part : run.parts) {
    const auto watch = run.platform.store.watch(part.app.id);
    const auto name = watch ? InstanceName::from(watch->failure.substr(0, watch->failure.find(' '))) : std::nullopt;
    if (!name) continue;
    if (const auto failing = run.platform.store.release(part.app.id, watch->release)) hide_secrets(run, *failing);
    for (const auto& line : run.platform.engine.last_output(*name)) run.journal.output(line + "\n");
    return;  // it is the same for all of the group
  }
}

// What is pushed after a fallback begins where the branch fell back to.
void tell_earlier_fallbacks(Run& run) {
  for (const auto& part : run.parts) {
    if (const auto note = fallback_note(run.platform, part.app); !note.empty()) run.journal.line(escaped(note));
  }
}

bool announces_commit(const Run& run) {
  return rules_of(run.change.kind).announcement.find("{commit}") != std::string_view::npos;
}

// "Release 7 of blog is live after 3.2 s: https://blog.example.org".
std::string live_message(const Run& run, const Part& part, const std::vector<InstancePlan>& started,
                         const Stopwatch& time) {
  const auto& app = part.app.name.str();
  if (!runs_after(run.change.kind, part.app.stopped)) {
    return fmt::format("Release {} of {} is live, but the app is stopped: `start {}` runs it", part.deployment.number,
                       app, app);
  }
  const bool routed = std::any_of(started.begin(), started.end(), [&](const InstancePlan& plan) {
    return plan.port.has_value() && plan.name.app == part.app.name;
  });
  return fmt::format("Release {} of {} is live after {}{}{}", part.deployment.number, app,
                     format_duration(time.elapsed()), routed ? ": " : "",
                     routed ? url_of(run.platform, part.app.name) : "");
}

}  // namespace

std::string names_of(const Run& run) {
  std::vector<std::string> names;
  for (const auto& part : run.parts) names.push_back(part.app.name.str());
  if (!names.empty()) return join(names, ", ");
  for (const auto& app : run.change.apps) names.push_back(app.name.str());
  return join(names, ", ");
}

void speak_of(Run& run, const std::optional<AppName>& app) {
  if (run.parts.size() < 2) return;
  run.subject = app;
  run.journal.speak_of(app ? app->str() : "");
}

void hide_secrets(Run& run, const Release& release) {
  for (const auto& [name, setting] : release.settings) {
    if (setting.secret) run.journal.hide(run.platform.store.vault().open(release.app_id, name, setting.sealed));
  }
}

std::future<std::string> begin_reading_subject(const Run& run) {
  if (!announces_commit(run)) return std::async(std::launch::deferred, [] { return std::string{}; });
  return std::async(std::launch::async,
                    [repository = run.repository, commit = *run.change.commit] { return repository.subject(commit); });
}

void announce(Run& run, const std::string& subject) {
  const auto& rules = rules_of(run.change.kind);
  const auto& change = run.change;
  const auto what = escaped(change.detail);
  run.journal.headline(fmt::format(fmt::runtime(rules.announcement), fmt::arg("apps", names_of(run)),
                                   fmt::arg("branch", quoted(change.branch.str())),
                                   fmt::arg("commit", change.commit ? abbreviated(*change.commit) : ""),
                                   fmt::arg("subject", quoted(subject, 60)), fmt::arg("what", what),
                                   fmt::arg("detail", what.empty() ? "" : ": " + what)));
  if (announces_commit(run)) tell_earlier_fallbacks(run);
  if (rules.watch == WatchRule::FallsBack) tell_why_it_falls_back(run);
}

void tell_success(Run& run, const std::vector<InstancePlan>& started, const Stopwatch& time) {
  const auto text = rules_of(run.change.kind).success;
  for (const auto& part : run.parts) {
    const auto& name = run.change.new_name.value_or(part.app.name);
    run.journal.headline(text.empty() ? live_message(run, part, started, time)
                                      : fmt::format(fmt::runtime(text), fmt::arg("app", part.app.name.str()),
                                                    fmt::arg("new_name", name.str()),
                                                    fmt::arg("url", url_of(run.platform, name))));
  }
}

Failure failure_of(const Run& run, const Error& error) {
  const bool is_cancelled = dynamic_cast<const Cancelled*>(&error) != nullptr;
  Failure failure{is_cancelled ? DeploymentState::Cancelled : DeploymentState::Failed,
                  run.journal.redacted(with_subject(run, error.message())), run.journal.redacted(error.hint())};
  const auto now = run.platform.store.group(run.group);
  if (!now.empty() && now.front().state == DeploymentState::Superseded) failure.state = DeploymentState::Superseded;
  return failure;
}

void tell_failure(Run& run, const Error& error) {
  auto& journal = run.journal;
  journal.abandon();
  const bool has_output = journal.evidence(error.evidence());
  journal.complaint(escaped(journal.redacted(error.message())));
  if (!error.hint().empty()) journal.complaint(escaped(journal.redacted(error.hint())));
  if (has_output) {
    const auto is_subject = [&](const Part& part) { return part.app.name == run.subject; };
    const auto found = std::find_if(run.parts.begin(), run.parts.end(), is_subject);
    const auto& part = found != run.parts.end() ? *found : run.parts.front();
    journal.complaint(fmt::format("full output: logs {} --deployment {}", part.app.name.str(), part.deployment.number));
  }
  speak_of(run, {});
  for (const auto& part : run.parts) {
    if (!run.has_turn || !is_built(run.platform.layout.checkout(part.app.name, part.deployment.number))) continue;
    journal.complaint(
        fmt::format("The build of {} is kept: the next push of the same files uses it.", part.app.name.str()));
  }
  const bool several = run.change.apps.size() > 1;
  run.journal.complaint(
      rules_of(run.change.kind).ref == RefChange::Advance && !run.change.previous
          ? fmt::format("Nothing is deployed: {} {}.", names_of(run), several ? "are as they were" : "is as it was")
          : fmt::format("Nothing has changed: {} {} before.", names_of(run),
                        several ? "run what they ran" : "runs what it ran"));
}

void tell_delay(Run& run, const Error& error) {
  run.journal.abandon();
  run.journal.complaint(escaped(run.journal.redacted(error.message())));
  run.journal.complaint("The deployment is committed; Pushrod completes it as soon as possible.");
}

void tell_incomplete_undo(Run& run, const std::exception& error) {
  run.journal.complaint(fmt::format("Undoing the deployment failed: {}", escaped(run.journal.redacted(error.what()))));
  run.journal.complaint("Pushrod undoes the rest as soon as possible.");
}

}  // namespace pushrod
