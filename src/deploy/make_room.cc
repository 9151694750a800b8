// Making room on the disk.
#include "deploy/make_room.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <limits>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/kept_build.hh"
#include "deploy/placement.hh"
#include "deploy/retention.hh"
#include "deploy/trash.hh"
#include "os/disk_use.hh"
#include "os/file_lock.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

struct Expendable {
  App app;
  WallTime since;
  std::optional<Release> release;  // else a directory
  fs::path directory;
  std::string what;
};

void add_directory(std::vector<Expendable>& list, const App& app, const fs::path& directory, const std::string& what) {
  struct stat status = {};
  if (lstat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return;
  list.push_back({app, std::chrono::system_clock::from_time_t(status.st_mtime), {}, directory, what});
}

std::vector<Expendable> expendables(const Platform& platform, const std::optional<App>& only) {
  std::vector<Expendable> list;
  for (const auto& app : only ? std::vector{*only} : platform.store.apps()) {
    for (const auto& release : expendable_releases(platform, app, 1)) {
      list.push_back({app, release.created, release,
                      find_checkout(platform.layout, app.name, release.checkout).directory,
                      fmt::format("release {}", release.number)});
    }
    add_directory(list, app, platform.layout.build_cache(app.name), "build cache");
    add_directory(list, app, platform.layout.spare_checkout(app.name), "spare checkout");
    add_directory(list, app, kept_build(platform.layout, app.name), "kept build");
  }
  // Oldest first; two of one millisecond by their numbers.
  const auto age = [](const Expendable& each) {
    return std::pair(each.since, each.release ? each.release->number : ReleaseNumber{0});
  };
  std::stable_sort(list.begin(), list.end(), [&](const auto& a, const auto& b) { return age(a) < age(b); });
  return list;
}

// Absent when the app is being deployed, or it is not there any more. The trash is emptied at once: only that makes
// room.
std::optional<Removed> remove(const Platform& platform, const Expendable& each) {
  const auto lock = FileLock::try_acquire(platform.layout.app_lock(each.app.name));
  const auto app = platform.store.app(each.app.id);
  if (!lock || !app || app->name != each.app.name) return std::nullopt;
  if (each.release) {
    // It may have been taken into use since the list was made.
    const auto still = expendable_releases(platform, *app, 1);
    const bool is_still = std::any_of(still.begin(), still.end(),
                                      [&](const Release& release) { return release.number == each.release->number; });
    if (!is_still) return std::nullopt;
    // Several releases share a checkout after a restart: it goes with the last of them.
    const auto before = measure_disk_use(each.directory).bytes;
    platform.store.remove_release(app->id, each.release->number);
    place_checkouts(platform, *app);
    const bool gone = !is_directory(each.directory);
    empty_trash(platform.layout);
    return Removed{app->name, each.what, gone ? before : 0};
  }
  if (!is_directory(each.directory)) return std::nullopt;
  const auto bytes = measure_disk_use(each.directory).bytes;
  discard(platform.layout, each.directory);
  empty_trash(platform.layout);
  return Removed{app->name, each.what, bytes};
}

}  // namespace

std::vector<Removed> make_room(const Platform& platform, std::uint64_t wanted, const std::optional<App>& only) {
  std::vector<Removed> removed;
  const auto& root = platform.layout.root();
  if (free_bytes(root) >= wanted) return removed;
  for (const auto& each : expendables(platform, only)) {
    if (auto gone = remove(platform, each)) removed.push_back(std::move(*gone));
    if (free_bytes(root) >= wanted) break;
  }
  return removed;
}

void check_room(const Platform& platform, std::uint64_t tree_bytes, std::size_t apps) {
  const auto floor = platform.settings.free_space;
  const auto free = free_bytes(platform.layout.root());
  std::uint64_t needed = 0;
  if (__builtin_mul_overflow(tree_bytes, std::uint64_t{2} * apps, &needed) ||
      needed > std::numeric_limits<std::uint64_t>::max() - floor) {
    needed = std::numeric_limits<std::uint64_t>::max() - floor;
  }
  if (free >= needed + floor) return;
  throw UserError(
      fmt::format(
          "not enough disk space: {} are free, {} must stay free ([retention] free_space), and the commit needs twice "
          "the {} of its files{}",
          format_bytes(free), format_bytes(floor), format_bytes(tree_bytes),
          apps > 1 ? fmt::format(" for each of {} apps", apps) : ""),
      "Pushrod is making room where it can: try again in a moment. `prune` shows how much; otherwise ask the "
      "administrator for space");
}

}  // namespace pushrod
