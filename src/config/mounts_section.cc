// [mounts], as far as it can be checked without looking at the disk.
#include "config/mounts_section.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hh"

namespace pushrod {

namespace {

constexpr std::size_t kMost = 20;
constexpr std::size_t kLongestPath = 1000;

// The system's own, with secrets in some of them, and what changes under a name (/proc, /run).
constexpr std::array kSystemDirectories{"bin",    "boot", "dev",  "etc", "lib",  "lib32", "lib64",
                                        "libx32", "proc", "root", "run", "sbin", "sys",   "usr"};
// Nothing of an app or of a builder lies there, so only Pushrod chooses what a mount point is made in: bwrap
// follows symlinks.
constexpr std::array kPlaces{"/srv", "/mnt", "/media"};

// "/srv/media", in its one normal form.
bool is_plain_path(const std::string& path) {
  if (path.size() < 2 || path.size() > kLongestPath || path.front() != '/') return false;
  const auto parts = split(path.substr(1), '/');
  return std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
    return !part.empty() && part != "." && part != ".." &&
           std::all_of(part.begin(), part.end(), [](unsigned char c) { return c >= ' ' && c != 0x7f; });
  });
}

void check_offered_path(const TomlSection& section, const std::string& path) {
  const auto refuse = [&](const std::string& why, const std::string& hint) {
    section.refuse("path", fmt::format("{}: {} {}", section.shown("path"), quoted(path), why), hint);
  };
  if (!is_plain_path(path)) {
    refuse("is not a path of a directory", "write an absolute path without \"..\", such as \"/srv/media\"");
  }
  const auto parts = split(path.substr(1), '/');
  if (std::find(kSystemDirectories.begin(), kSystemDirectories.end(), parts.front()) != kSystemDirectories.end()) {
    refuse("lies in a directory of the system, which apps cannot mount", "use a directory such as \"/srv/media\"");
  }
  if (std::any_of(parts.begin(), parts.end(), [](const std::string& part) { return part.starts_with('.'); })) {
    refuse("has a hidden part, as directories with keys and passwords have", "use a directory such as \"/srv/media\"");
  }
}

MountName parse_mount_name(const TomlSection& section, const std::string& key, const std::string& name) {
  try {
    return MountName::parse(name);
  } catch (const UserError& error) {
    section.refuse(key, fmt::format("{}: {}", section.shown(key), error.message()), error.hint());
  }
}

OfferedDirectory read_offered(TomlSection section) {
  OfferedDirectory offered{.path = section.text("path").value_or("")};
  section.flag("read_only", offered.read_only);
  for (const auto& app : section.texts("apps").value_or(std::vector<std::string>{})) {
    try {
      offered.apps.push_back(AppName::parse(app));
    } catch (const UserError& error) {
      section.refuse("apps", fmt::format("{}: {}", section.shown("apps"), error.message()), error.hint());
    }
  }
  section.refuse_unknown_keys();
  for (const auto* key : {"path", "apps"}) {
    if (section.has(key)) continue;
    section.refuse({}, fmt::format("{} is missing", section.shown(key)),
                   "write path = \"/srv/media\" and apps = [\"shop\"], the apps that may mount it");
  }
  check_offered_path(section, offered.path);
  return offered;
}

// An app that may write to a directory could put a link in the place of one in it, which Pushrod then mounts.
void check_overlaps(const TomlSection& section, const OfferedDirectories& offered) {
  for (const auto& [outer_name, outer] : offered) {
    for (const auto& [name, inner] : offered) {
      if (outer.read_only || inner.path == outer.path || !lies_at_or_below(inner.path, outer.path)) continue;
      section.refuse(name.str(),
                     fmt::format("[mounts.{}] lies in [mounts.{}], which apps may write to: they could replace it",
                                 name.str(), outer_name.str()),
                     "use directories that do not lie in each other, or read_only = true for the outer one");
    }
  }
}

HostMount read_mount(TomlSection& section, const std::string& path) {
  if (!section.is_table(path)) {
    return {path, parse_mount_name(section, path, section.text(path).value_or(""))};
  }
  auto table = section.section(path).value();
  const auto name = table.text("name");
  bool read_only = false;
  table.flag("read_only", read_only);
  table.refuse_unknown_keys();
  if (!name) section.refuse(path, fmt::format("{} is missing", table.shown("name")), "write { name = \"media\" }");
  return {path, parse_mount_name(table, "name", *name), read_only};
}

void check_mount_point(const TomlSection& section, const std::string& path, const HostMounts& others) {
  const auto is_around = [&](const char* place) { return lies_at_or_below(path, place); };
  if (!is_plain_path(path) || std::none_of(kPlaces.begin(), kPlaces.end(), is_around)) {
    section.refuse(path, fmt::format("[mounts]: {} is not a place for a mount", quoted(path)),
                   "mount it at or below /srv, /mnt or /media, for example: \"/srv/media\" = \"media\"");
  }
  for (const auto& other : others) {
    if (!lies_at_or_below(path, other.path) && !lies_at_or_below(other.path, path)) continue;
    section.refuse(path, fmt::format("[mounts]: {} and {} lie in each other", quoted(other.path), quoted(path)),
                   "mount them beside each other");
  }
}

}  // namespace

OfferedDirectories read_offered_directories(TomlSection section) {
  OfferedDirectories offered;
  for (const auto& key : section.keys()) {
    const auto name = parse_mount_name(section, key, key);
    if (auto table = section.section(key)) offered.emplace(name, read_offered(*std::move(table)));
  }
  check_overlaps(section, offered);
  return offered;
}

HostMounts read_host_mounts(TomlSection section) {
  HostMounts mounts;
  for (const auto& path : section.keys()) {
    check_mount_point(section, path, mounts);
    mounts.push_back(read_mount(section, path));
    if (mounts.size() > kMost) section.refuse(path, fmt::format("[mounts] names more than {}", kMost));
  }
  std::sort(mounts.begin(), mounts.end(), [](const HostMount& a, const HostMount& b) { return a.path < b.path; });
  return mounts;
}

}  // namespace pushrod
