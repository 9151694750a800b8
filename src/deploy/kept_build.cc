// The kept build.
#include "deploy/kept_build.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include <chrono>

#include "base/text.hh"
#include "build/layer.hh"
#include "build/software.hh"
#include "deploy/trash.hh"
#include "git/repository.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::chrono::hours kLongestKept{7 * 24};

fs::path mark_in(const fs::path& directory) { return directory / "built"; }
fs::path mounts_in(const fs::path& directory) { return directory / "mounts"; }

ReleaseMounts read_mounts(const fs::path& directory) {
  return mounts_from_json(read_file(mounts_in(directory), std::size_t{1} << 20, /*follow=*/false).value_or("[]"));
}

// After a power cut files that were not flushed may be empty, so a build from before the last boot is not used.
std::string boot() { return read_file("/proc/sys/kernel/random/boot_id").value_or("\n"); }

// "<boot>\n<deployment>\n<key>"
std::string mark_of(ReleaseNumber deployment, const std::string& key) {
  return fmt::format("{}{}\n{}", boot(), deployment, key);
}

struct Mark {
  ReleaseNumber deployment;
  std::string key;
};

bool is_stale(const fs::path& directory) {
  struct stat status = {};
  if (lstat(mark_in(directory).c_str(), &status) != 0) return true;
  return now() - std::chrono::system_clock::from_time_t(status.st_mtime) > kLongestKept;
}

// Absent for a build that is not there or must not be used.
std::optional<Mark> mark_of_good(const fs::path& directory) {
  if (is_stale(directory) || !is_directory(directory / "tree")) return std::nullopt;
  const auto text = read_file(mark_in(directory), std::size_t{64} << 20, /*follow=*/false);
  const auto this_boot = boot();
  if (!text || !text->starts_with(this_boot)) return std::nullopt;
  const auto end = text->find('\n', this_boot.size());
  if (end == text->npos) return std::nullopt;
  const auto number = parse_unsigned(text->substr(this_boot.size(), end - this_boot.size()));
  if (!number) return std::nullopt;
  return Mark{static_cast<ReleaseNumber>(*number), text->substr(end + 1)};
}

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace

fs::path kept_build(const Layout& layout, const AppName& app) { return layout.cache(app) / "kept"; }

std::string build_key(const Platform& platform, const Release& release, const BuildPlan& plan) {
  const auto& source = release.source;
  const auto root = source.build_root.value_or(source.path);
  const Repository repository(platform.layout.repo(source.repo));
  std::string key = fmt::format("app {}\nroot {} {}\npath {}\nbuilder {}\nmounts {}\nscript {}\n", release.app.str(),
                                quoted(root), repository.tree_of(release.commit, root), quoted(source.path),
                                plan.builder, to_json(plan.mounts), hexadecimal(script(plan)));
  for (const auto& layer : plan.layers) {
    key += fmt::format("layer {} {} {}\n", layer_name(layer, {}), hexadecimal(script(layer.then)),
                       hexadecimal(script(layer.in_place)));
  }
  for (const auto& [name, value] : plan.environment) key += fmt::format("plan {}={}\n", name, hexadecimal(value));
  for (const auto& [name, value] : plan.build_environment)
    key += fmt::format("build {}={}\n", name, hexadecimal(value));
  // A sealed value changes whenever it is set: then the build may differ, too.
  for (const auto& [name, setting] : visible_in_build(release.settings)) {
    key += fmt::format("setting {}={}\n", name.str(), hexadecimal(setting.sealed));
  }
  for (const auto& [name, value] : platform.settings.build_environment) {
    key += fmt::format("server {}={}\n", name, hexadecimal(value));
  }
  return key + fmt::format("software {}\n", hexadecimal(software_stamp()));
}

void mark_built(const Checkout& checkout, ReleaseNumber deployment, const std::string& key,
                const ReleaseMounts& mounts) {
  write_file(mounts_in(checkout.directory), to_json(mounts), 0600, /*durable=*/false);
  write_file(mark_in(checkout.directory), mark_of(deployment, key), 0600, /*durable=*/false);
}

bool is_built(const Checkout& checkout) { return is_plain_file(mark_in(checkout.directory)); }

std::optional<KeptBuild> take_kept_build(const Layout& layout, const AppName& app, const std::string& key,
                                         const Checkout& checkout) {
  const auto kept = kept_build(layout, app);
  const auto mark = mark_of_good(kept);
  if (!mark || mark->key != key) return std::nullopt;
  if (is_directory(checkout.directory)) discard(layout, checkout.directory);
  make_directory(checkout.directory.parent_path());
  rename_path(kept, checkout.directory);
  return KeptBuild{mark->deployment, read_mounts(checkout.directory)};
}

ReleaseMounts mounts_of_kept_build(const Layout& layout, const AppName& app) {
  const auto kept = kept_build(layout, app);
  return mark_of_good(kept) ? read_mounts(kept) : ReleaseMounts{};
}

void keep_build(const Layout& layout, const AppName& app, ReleaseNumber deployment) {
  const auto checkout = layout.checkout(app, deployment);
  if (!is_built(checkout)) return;
  const auto kept = kept_build(layout, app);
  if (is_directory(kept)) discard(layout, kept);
  make_directory(kept.parent_path());
  rename_path(checkout.directory, kept);
}

bool has_stale_build(const Layout& layout, const AppName& app) {
  const auto kept = kept_build(layout, app);
  return is_directory(kept) && !mark_of_good(kept);
}

}  // namespace pushrod
