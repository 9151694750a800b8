// Makes layers and removes them.
#include "deploy/layers.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/control.hh"
#include "deploy/kept_build.hh"
#include "deploy/trash.hh"
#include "os/file_lock.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::string_view kNew = ".new";

// Of "node-1f" and "node-1f.2": 0 and 2. Absent: another layer's.
std::optional<std::uint64_t> edition_of(const std::string& found, const std::string& name) {
  if (found == name) return 0;
  if (!found.starts_with(name + ".")) return std::nullopt;
  return parse_unsigned(std::string_view(found).substr(name.size() + 1));
}

std::optional<std::uint64_t> newest_edition(const Layout& layout, const std::string& name) {
  std::optional<std::uint64_t> newest;
  for (const auto& found : list_directory(layout.layers())) {
    const auto edition = edition_of(found, name);
    if (edition && (!newest || *edition > *newest)) newest = edition;
  }
  return newest;
}

std::string edition(const std::string& name, std::uint64_t number) {
  return number == 0 ? name : fmt::format("{}.{}", name, number);
}

// Files of packages may be read-only, and so is the layer; what is moved must be writable.
void discard_layer(const Layout& layout, const fs::path& directory) {
  if (!is_directory(directory)) return;
  chmod(directory.c_str(), 0700);
  discard(layout, directory);
}

void make_and_place(const Layout& layout, const std::string& name,
                    const std::function<void(const fs::path& directory)>& make) {
  const auto unfinished = layout.layers() / (name + std::string(kNew));
  discard_layer(layout, unfinished);
  make_directory(unfinished);
  try {
    make(unfinished);
  } catch (const Error&) {
    discard_layer(layout, unfinished);
    throw;
  }
  if (chmod(unfinished.c_str(), 0500) != 0) throw_errno("make read-only " + unfinished.native());
  // What other releases use after a power cut must be there whole.
  flush_file_system(unfinished);
  rename_path(unfinished, layout.layer(name));
}

}  // namespace

std::string provide_layer(Run& run, const std::string& wanted, bool anew, const LayerMaker& maker) {
  const auto& layout = run.platform.layout;
  const auto newest = newest_edition(layout, wanted);
  const auto name = edition(wanted, anew && newest ? *newest + 1 : newest.value_or(0));
  const auto path = layout.layer_lock(name);
  const auto is_there = [&] { return is_directory(layout.layer(name)); };
  const auto cancelled = [&] { return is_cancelled(run.cancel_fd); };
  while (true) {
    if (!is_there() && lock_holder(path)) {
      run.journal.line("waiting: another deployment installs the same packages");
    }
    auto shared = FileLock::acquire_shared(path, cancelled);
    if (!shared) check_cancelled(run.cancel_fd);
    if (is_there()) {
      run.locks.push_back(*std::move(shared));
      return name;
    }
    shared.reset();
    maker.prepare();
    // Once another deployment has made it, those that share it may be waiting for this one's build slot.
    const auto whole = FileLock::acquire(path, [&] { return is_there() || cancelled(); });
    if (!whole) check_cancelled(run.cancel_fd);
    if (is_there()) continue;
    whole->announce(fmt::format("the layer {}", name));
    make_and_place(layout, name, maker.make);
  }
}

void check_writable(const Layout& layout, const ReleaseMounts& mounts, const WritablePaths& writable) {
  for (const auto& path : writable) {
    for (const auto& mount : mounts) {
      const auto inside = "/app/" + path;
      if (mount.layer.empty() || mount.running == Access::None || !inside.starts_with(mount.path + "/")) continue;
      if (is_directory(layout.layer(mount.layer) / mount.directory / inside.substr(mount.path.size() + 1))) continue;
      throw UserError(fmt::format("[app] writable: the packages in {} have no directory {}", mount.path, quoted(path)),
                      "name one that is there, or the whole of " + mount.path.substr(5));
    }
  }
}

std::set<std::string> layers_in_use(const Platform& platform) {
  auto used = platform.store.mounted_layers();
  for (const auto& app : platform.store.apps()) {
    for (const auto& mount : mounts_of_kept_build(platform.layout, app.name)) {
      if (!mount.layer.empty()) used.insert(mount.layer);
    }
  }
  return used;
}

void remove_unused_layers(const Platform& platform) {
  const auto found = list_directory(platform.layout.layers());
  if (found.empty()) return;
  auto used = layers_in_use(platform);
  for (const auto& each : found) {
    if (used.contains(each)) continue;
    const auto name = each.ends_with(kNew) ? each.substr(0, each.size() - kNew.size()) : each;
    const auto path = platform.layout.layer_lock(name);
    const auto lock = FileLock::try_acquire(path);
    if (!lock) continue;
    // A deployment may have ended meanwhile, and left a release that names it.
    if (each == name && layers_in_use(platform).contains(each)) continue;
    discard_layer(platform.layout, platform.layout.layers() / each);
    remove_file(path);
  }
}

}  // namespace pushrod
