// A release made from an older one, on the same checkout: new instances, other numbers of them, other settings, or the
// older one itself once more.
// Nothing is built, so such a deployment takes as long as the app takes to start.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "deploy/control.hh"
#include "deploy/narration.hh"
#include "deploy/placement.hh"
#include "deploy/steps.hh"
#include "model/source.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

Release base_of(const Run& run, const Part& part) {
  const auto& name = part.app.name.str();
  if (rules_of(run.change.kind).release == ReleaseFrom::Older) {
    const auto number = run.change.releases.at(part.app.id);
    if (auto release = run.platform.store.release(part.app.id, number)) {
      check_same_branch(part.app, number, release->source);
      return *std::move(release);
    }
    throw UserError(fmt::format("release {} of {} is no longer kept", number, name),
                    fmt::format("`releases {}` lists those that are", name));
  }
  if (!part.app.live) throw UserError(fmt::format("app {} is not deployed", name), "push to its branch first");
  auto release = run.platform.store.release(part.app.id, *part.app.live);
  if (!release) throw Error(fmt::format("the live release of {} is not in the database", name));
  return *std::move(release);
}

void change_counts(const Run& run, Release& release) {
  const auto& counts = run.change.counts;
  for (const auto& [type, count] : counts) require_process(release, type);
  for (auto& process : release.processes) {
    const auto wanted = counts.find(process.type);
    if (wanted == counts.end()) continue;
    process.count = wanted->second;
    process.is_scaled = true;
  }
}

// A rollback brings back what people have set. Services are as they are now: an older password opens nothing.
AppSettings with_services_of(AppSettings settings, const AppSettings& now) {
  std::erase_if(settings, [](const auto& entry) { return entry.second.service != 0; });
  for (const auto& [name, setting] : now) {
    if (setting.service != 0) settings.insert_or_assign(name, setting);
  }
  return settings;
}

// What is pending comes to all instances together: where those of other types go on, one type gets the settings that
// they have.
AppSettings settings_for(const Run& run, const Part& part, const Release& base) {
  const auto& rules = rules_of(run.change.kind);
  auto settings = run.platform.store.settings(part.app.id);
  if (rules.settings == SettingsFrom::Release || run.change.only) {
    const bool is_rollback = rules.release == ReleaseFrom::Older && !run.change.watched;
    return is_rollback ? with_services_of(base.settings, settings) : base.settings;
  }
  return with_changes(with_changes(settings, run.change.settings), change_service(run, part));
}

// What is on standby serves again, with what has gone on from before the release that failed.
std::vector<InstanceName> instances_to_fall_back_on(const Run& run, const Part& part, const Release& release) {
  std::vector<InstanceName> kept;
  for (const auto& instance : run.platform.store.instances(part.app.id)) {
    const bool goes_on = instance.state == InstanceState::Serving && instance.name.release != *part.app.live;
    if (instance.state != InstanceState::Standby && !goes_on) continue;
    const auto* process = find_process(release, instance.name.type);
    if (process != nullptr && instance.name.number <= process->count) kept.push_back(instance.name);
  }
  return kept;
}

// A change of the counts leaves alone what goes on; so does the restart of one type with the others.
std::vector<InstanceName> instances_that_serve_on(const Run& run, const Part& part, const Release& release) {
  std::vector<InstanceName> kept;
  const auto instances = run.platform.store.instances(part.app.id);
  for (const auto& instance : instances) {
    if (instance.state != InstanceState::Serving && instance.state != InstanceState::Asleep) continue;
    if (instance.name.type == run.change.only) continue;
    const auto* process = find_process(release, instance.name.type);
    if (process == nullptr) continue;
    // Instances of a type sleep together: a request would not wake the others while one of them serves.
    const auto same = std::count_if(instances.begin(), instances.end(), [&](const Instance& other) {
      return other.name.type == instance.name.type && other.state == InstanceState::Asleep;
    });
    if (instance.state == InstanceState::Asleep && process->count > same) continue;
    if (instance.name.number <= process->count) kept.push_back(instance.name);
  }
  return kept;
}

std::vector<InstanceName> kept_instances(const Run& run, const Part& part, const Release& release) {
  const auto kept = run.change.only ? KeptInstances::Serving : rules_of(run.change.kind).kept;
  if (kept == KeptInstances::Standby) return instances_to_fall_back_on(run, part, release);
  return kept == KeptInstances::Serving ? instances_that_serve_on(run, part, release) : std::vector<InstanceName>{};
}

}  // namespace

NewRelease derive(Run& run, const Part& part) {
  check_cancelled(run.cancel_fd);
  auto release = base_of(run, part);
  const auto& layout = run.platform.layout;
  place_checkouts(run.platform, part.app, release.checkout);
  if (!is_directory(find_checkout(layout, part.app.name, release.checkout).directory)) {
    throw UserError(
        fmt::format("the checkout of release {} of {} no longer exists", release.number, part.app.name.str()),
        fmt::format("build it again: redeploy {}", part.app.name.str()));
  }
  if (release.commit != run.change.commit) {
    run.platform.store.set_commit(part.app.id, part.deployment.number, release.commit);
  }
  change_counts(run, release);
  release.settings = settings_for(run, part, release);
  hide_secrets(run, release);
  auto kept = kept_instances(run, part, release);
  if (run.change.new_name) release.app = *run.change.new_name;
  release.number = part.deployment.number;
  release.created = now();
  return {std::move(release), std::move(kept)};
}

}  // namespace pushrod
