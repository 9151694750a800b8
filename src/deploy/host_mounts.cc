// From the names that a release has to directories of this machine.
#include "deploy/host_mounts.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "config/settings_file.hh"
#include "os/command.hh"
#include "os/trusted_path.hh"

namespace pushrod {

namespace {

std::string real_path(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::weakly_canonical(path, error).native();
}

HostDirectory directory_of(const Layout& layout, const OfferedDirectories& offered, const AppName& app,
                           const HostMount& mount) {
  const auto found = offered.find(mount.name);
  // Which other names there are is not told.
  if (found == offered.end() || std::ranges::find(found->second.apps, app) == found->second.apps.end()) {
    throw UserError(fmt::format("{} may not mount \"{}\" ([mounts] in pushrod.toml)", app.str(), mount.name.str()),
                    fmt::format("the administrator allows it in server.toml: [mounts.{}] with apps = [\"{}\"]",
                                mount.name.str(), app.str()));
  }
  const auto& directory = found->second;
  if (const auto why = why_unfit(layout, directory); !why.empty()) {
    throw UserError(fmt::format("{} cannot be mounted: {}", quoted(mount.name.str()), why),
                    "ask the administrator of this machine: `pushrod doctor` says the same");
  }
  return {directory.path, mount.path, !directory.read_only && !mount.read_only};
}

}  // namespace

HostDirectories host_directories_of(const Platform& platform, const Release& release) {
  if (release.host_mounts.empty()) return {};
  const auto offered = load_settings(platform.layout.settings()).mounts;
  HostDirectories directories;
  for (const auto& mount : release.host_mounts) {
    directories.push_back(directory_of(platform.layout, offered, release.app, mount));
  }
  return directories;
}

std::string why_unfit(const Layout& layout, const OfferedDirectory& offered) {
  if (auto why = why_not_trusted(offered.path); !why.empty()) return why;
  const auto holds = [&](const std::string& own) { return lies_at_or_below(own, offered.path); };
  const auto shown = escaped(offered.path);
  const auto root = real_path(layout.root());
  if (holds(root) || lies_at_or_below(offered.path, root)) {
    return fmt::format("{} holds Pushrod's own files, or lies among them", shown);
  }
  if (holds(real_path(tool_environment().at("HOME"))))
    return fmt::format("{} holds the home directory of Pushrod's user", shown);
  if (holds(real_path(own_program().parent_path()))) return fmt::format("{} holds Pushrod's programs", shown);
  if (access(offered.path.c_str(), R_OK | X_OK) != 0) return fmt::format("{} is not readable by Pushrod's user", shown);
  if (!offered.read_only && access(offered.path.c_str(), W_OK) != 0) {
    return fmt::format("{} is not writable by Pushrod's user; read_only = true mounts it as it is", shown);
  }
  return {};
}

}  // namespace pushrod
