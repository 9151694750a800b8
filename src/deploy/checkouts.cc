// Where the checkouts of an app lie, and which are kept.
#include "deploy/checkouts.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <map>
#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "os/file_lock.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// Restarts and changes of settings or scale share what was built, so each costs nothing but its records.
constexpr unsigned kMostOfOneCheckout = 20;

std::optional<ReleaseNumber> number_of(const std::string& directory) {
  const auto number = parse_unsigned(directory);
  if (!number || *number == 0 || std::to_string(*number) != directory) return std::nullopt;
  return static_cast<ReleaseNumber>(*number);
}

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
    const auto number = number_of(fs::path(entry).stem().native());
    if (number && !known.empty() && *number < *known.rbegin() && !known.contains(*number))
      remove_file(directory / entry);
  }
}

// To its place, unless there is one already. Not flushed: where a power cut takes it back, it is moved again.
void move_checkout(const Layout& layout, const fs::path& from, const fs::path& to) {
  if (is_directory(to)) {
    discard(layout, from);
    return;
  }
  make_directory(to.parent_path());
  if (rename(from.c_str(), to.c_str()) != 0) throw_errno(fmt::format("move {} to {}", from.string(), to.string()));
}

}  // namespace

void discard(const Layout& layout, const std::filesystem::path& directory) {
  make_directory(layout.trash());
  for (unsigned attempt = 0;; ++attempt) {
    const auto grave = layout.trash() / fmt::format("{}.{}.{}", to_epoch_milliseconds(now()), getpid(), attempt);
    if (fs::symlink_status(grave).type() != fs::file_type::not_found) continue;
    try {
      rename_path(directory, grave);
    } catch (const SystemError& error) {
      if (error.code() != EXDEV) throw;
      remove_tree(directory);
    }
    return;
  }
}

void empty_trash(const Layout& layout) {
  const auto lock = FileLock::acquire(layout.trash_lock());
  for (const auto& entry : list_directory(layout.trash())) remove_tree(layout.trash() / entry);
}

Checkout find_checkout(const Layout& layout, const AppName& app, ReleaseNumber number) {
  const auto kept = layout.kept_checkout(app, number);
  return is_directory(kept.directory) ? kept : layout.checkout(app, number);
}

void place_checkouts(const Platform& platform, const App& app, std::optional<ReleaseNumber> deploying) {
  std::set<ReleaseNumber> in_use, kept;
  if (deploying) in_use.insert(*deploying);
  for (const auto& release : platform.store.releases(app.id)) {
    (app.live && release.number == *app.live ? in_use : kept).insert(release.checkout);
  }
  const auto& layout = platform.layout;
  for (const auto& entry : list_directory(layout.checkouts(app.name))) {
    const auto number = number_of(entry);
    const auto path = layout.checkouts(app.name) / entry;
    if (number && in_use.contains(*number)) continue;
    if (number && kept.contains(*number)) {
      move_checkout(layout, path, layout.kept_checkout(app.name, *number).directory);
    } else {
      discard(layout, path);
    }
  }
  for (const auto& entry : list_directory(layout.releases(app.name))) {
    const auto number = number_of(entry);
    const auto path = layout.releases(app.name) / entry;
    if (number && in_use.contains(*number)) {
      move_checkout(layout, path, layout.checkout(app.name, *number).directory);
    } else if (!number || !kept.contains(*number)) {
      discard(layout, path);
    }
  }
}

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
  place_checkouts(platform, app);
  platform.store.prune_deployments(app.id, platform.settings.keep_deployments);
  prune_deployment_logs(platform, app);
  prune_logs(platform, app);
}

}  // namespace pushrod
