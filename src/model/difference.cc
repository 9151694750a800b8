// What differs between two releases of an app.
#include "model/difference.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hh"
#include "model/source.hh"

namespace pushrod {

namespace {

std::string shown(SettingScope scope) {
  return scope == SettingScope::Both    ? "for builds and processes"
         : scope == SettingScope::Build ? "for builds only"
                                        : "for processes only";
}

void compare_settings(const Release& old_release, const Release& release, std::vector<Difference>& found) {
  for (const auto& [name, setting] : release.settings) {
    const auto before = old_release.settings.find(name);
    if (before == old_release.settings.end()) {
      found.push_back({"setting " + name.str(), "", "set"});
    } else if (before->second.sealed != setting.sealed) {
      found.push_back({"setting " + name.str(), "", "changed"});
    } else if (before->second.scope != setting.scope) {
      found.push_back({"setting " + name.str(), shown(before->second.scope), shown(setting.scope)});
    }
  }
  for (const auto& [name, setting] : old_release.settings) {
    if (!release.settings.contains(name)) found.push_back({"setting " + name.str(), "", "unset"});
  }
}

void compare_processes(const Release& old_release, const Release& release, std::vector<Difference>& found) {
  for (const auto& process : release.processes) {
    const auto* before = find_process(old_release, process.type);
    const auto what = "process " + process.type.str();
    if (before == nullptr) {
      found.push_back({what, "", fmt::format("new, {} running", process.count)});
      continue;
    }
    if (before->count != process.count) {
      found.push_back({what, std::to_string(before->count), std::to_string(process.count)});
    }
    if (before->command != process.command) found.push_back({what + " command", before->command, process.command});
  }
  for (const auto& process : old_release.processes) {
    if (find_process(release, process.type) == nullptr) found.push_back({"process " + process.type.str(), "", "gone"});
  }
}

// "media", "media, read-only".
std::string shown(const HostMount& mount) { return mount.name.str() + (mount.read_only ? ", read-only" : ""); }

void compare_host_mounts(const HostMounts& before, const HostMounts& after, std::vector<Difference>& found) {
  const auto shown_at = [](const HostMounts& mounts, const std::string& path) {
    const auto at = std::ranges::find(mounts, path, &HostMount::path);
    return at == mounts.end() ? std::string{} : shown(*at);
  };
  for (const auto& mount : after) {
    const auto old = shown_at(before, mount.path);
    if (old != shown(mount)) found.push_back({"mount " + mount.path, old, shown(mount)});
  }
  for (const auto& mount : before) {
    if (shown_at(after, mount.path).empty()) found.push_back({"mount " + mount.path, shown(mount), "gone"});
  }
}

void compare_sources(const Source& old_source, const Source& source, std::vector<Difference>& found) {
  const auto compare = [&](const char* what, const std::string& before, const std::string& after) {
    if (before != after) found.push_back({what, before, after});
  };
  const auto shown = [](const std::string& directory) { return directory.empty() ? "." : directory; };
  compare("repo", old_source.repo.str(), source.repo.str());
  compare("branch", old_source.branch.str(), source.branch.str());
  compare("path", shown(old_source.path), shown(source.path));
  compare("manifest", manifest_of(old_source), manifest_of(source));
  compare("build root", shown(root_of(old_source)), shown(root_of(source)));
}

}  // namespace

std::vector<Difference> differences(const Release& old_release, const Release& release) {
  std::vector<Difference> found;
  if (old_release.commit != release.commit) {
    found.push_back({"commit", abbreviated(old_release.commit), abbreviated(release.commit)});
  }
  if (old_release.builder != release.builder) found.push_back({"builder", old_release.builder, release.builder});
  if (old_release.writable != release.writable) {
    found.push_back({"writable", join(old_release.writable, ", "), join(release.writable, ", ")});
  }
  compare_host_mounts(old_release.host_mounts, release.host_mounts, found);
  compare_sources(old_release.source, release.source, found);
  compare_processes(old_release, release, found);
  compare_settings(old_release, release, found);
  return found;
}

}  // namespace pushrod
