// Lock files of deployments and jobs that have ended. The tidier calls it.
#include "deploy/left_locks.hh"

#include <set>

#include "base/text.hh"
#include "os/file_lock.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::string_view kGroup = "group.";
constexpr std::string_view kJob = "job.";

// The lock files "<prefix><number>" whose number is not in `going_on`.
std::vector<fs::path> ended(const Layout& layout, std::string_view prefix, const std::set<std::int64_t>& going_on) {
  std::vector<fs::path> found;
  for (const auto& name : list_directory(layout.locks())) {
    if (!name.starts_with(prefix)) continue;
    const auto number = parse_unsigned(std::string_view(name).substr(prefix.size()));
    if (number && !going_on.contains(static_cast<std::int64_t>(*number))) found.push_back(layout.locks() / name);
  }
  return found;
}

std::set<std::int64_t> unfinished_groups(const Platform& platform) {
  std::set<std::int64_t> groups;
  for (const auto& deployment : platform.store.unfinished_deployments()) groups.insert(deployment.group);
  return groups;
}

std::set<std::int64_t> running_jobs(const Platform& platform) {
  std::set<std::int64_t> jobs;
  for (const auto& job : platform.store.running_jobs()) jobs.insert(job.id);
  return jobs;
}

// `begin` is held from a row to its lock, so under it a lock file without a row going on is of one that has ended.
template <class GoingOn>
void remove_ended(const Platform& platform, std::string_view prefix, const fs::path& begin, const GoingOn& going_on) {
  if (ended(platform.layout, prefix, {}).empty()) return;
  const auto lock = FileLock::acquire(begin);
  for (const auto& path : ended(platform.layout, prefix, going_on(platform))) {
    if (FileLock::try_acquire(path)) remove_file(path);
  }
}

}  // namespace

void remove_left_locks(const Platform& platform) {
  remove_ended(platform, kGroup, platform.layout.begin_lock(), unfinished_groups);
  remove_ended(platform, kJob, platform.layout.job_begin_lock(), running_jobs);
}

}  // namespace pushrod
