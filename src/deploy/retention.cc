// Which releases of an app are kept.
#include "deploy/retention.hh"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <set>

#include "deploy/aside.hh"
#include "deploy/placement.hh"
#include "deploy/trash.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// Restarts and changes of settings or scale share what was built, so each costs nothing but its records.
constexpr unsigned kMostOfOneCheckout = 20;

// Instances of these releases still need their renderings' names, whatever happened to the release, and jobs its code.
std::set<ReleaseNumber> releases_in_use(const Platform& platform, const App& app) {
  std::set<ReleaseNumber> numbers;
  for (const auto& instance : platform.store.instances(app.id)) numbers.insert(instance.name.release);
  for (const auto& job : platform.store.running_jobs()) {
    if (job.app_id == app.id) numbers.insert(job.release);
  }
  if (const auto watch = platform.store.watch(app.id)) numbers.insert(watch->previous);
  return numbers;
}

// What a job wrote goes with its record (deploy/jobs.cc).
std::set<InstanceName> known_jobs(const Platform& platform, const App& app) {
  std::set<InstanceName> names;
  for (const auto kind : {JobKind::Run, JobKind::Cron}) {
    for (const auto& job : platform.store.jobs(app.id, kind, std::numeric_limits<unsigned>::max())) {
      names.insert(job.instance());
    }
  }
  return names;
}

// The oldest release; the oldest deployment when none has succeeded.
ReleaseNumber oldest_kept(const Platform& platform, const App& app) {
  const auto releases = platform.store.releases(app.id);  // newest first
  if (!releases.empty()) return releases.back().number;
  const auto deployments = platform.store.deployments(app.id, std::numeric_limits<unsigned>::max());
  return deployments.empty() ? 0 : deployments.back().number;
}

// What the instances of a release wrote is kept as long as a release that is as old; what those of failed deployments
// in between wrote, too.
void prune_logs(const Platform& platform, const App& app) {
  const auto oldest = oldest_kept(platform, app);
  const auto needed = releases_in_use(platform, app);
  const auto jobs = known_jobs(platform, app);
  const auto directory = platform.layout.instance_logs(app.name);
  for (const auto& entry : list_directory(directory)) {
    const auto instance = InstanceName::from(app.name.str() + "." + entry);
    if (!instance || instance->release >= oldest || needed.contains(instance->release)) continue;
    if (jobs.contains(*instance)) continue;
    discard(platform.layout, directory / entry);
  }
}

// Logs of deployments that are forgotten, also of those that a killed process forgot before it came to their logs.
void prune_deployment_logs(const Platform& platform, const App& app) {
  std::set<ReleaseNumber> known;
  for (const auto& deployment : platform.store.deployments(app.id, std::numeric_limits<unsigned>::max())) {
    known.insert(deployment.number);
  }
  const auto directory = platform.layout.logs(app.name) / "deployments";
  for (const auto& entry : list_directory(directory)) {
    const auto number = number_of(std::filesystem::path(entry).stem().native());
    if (number && !known.empty() && *number < *known.rbegin() && !known.contains(*number))
      remove_file(directory / entry);
  }
}

// A snapshot goes with its release.
void prune_snapshots(const Platform& platform, const App& app) {
  for (const auto number : snapshots_of(platform.layout, app.id)) {
    if (platform.store.release(app.id, number)) continue;
    discard(platform.layout, snapshot_directory(platform.layout, app.id, number));
  }
}

}  // namespace

// The newest come first, so the predecessor of the live one is always among the kept.
std::vector<Release> expendable_releases(const Platform& platform, const App& app, unsigned keep) {
  const auto needed = releases_in_use(platform, app);
  auto releases = platform.store.releases(app.id);
  std::map<ReleaseNumber, unsigned> kept;  // of each checkout, so many releases
  for (const auto& release : releases) {
    if (app.live && release.number == *app.live) kept.emplace(release.checkout, 0);
  }
  const auto most = kept.size() + keep;
  std::erase_if(releases, [&](const Release& release) {
    if (app.live && release.number >= *app.live) return true;  // a newer one is being deployed, or not settled yet
    auto of_checkout = kept.find(release.checkout);
    if (of_checkout == kept.end() && kept.size() < most) of_checkout = kept.emplace(release.checkout, 0).first;
    const bool is_kept = of_checkout != kept.end() && of_checkout->second < kMostOfOneCheckout;
    if (is_kept) ++of_checkout->second;
    return is_kept || needed.contains(release.number);
  });
  return releases;
}

void prune_releases(const Platform& platform, const App& app) {
  for (const auto& release : expendable_releases(platform, app, std::max(platform.settings.keep_releases, 1u))) {
    platform.store.remove_release(app.id, release.number);
  }
  prune_snapshots(platform, app);
  place_checkouts(platform, app);
  platform.store.prune_deployments(app.id, platform.settings.keep_deployments);
  prune_deployment_logs(platform, app);
  prune_logs(platform, app);
}

}  // namespace pushrod
