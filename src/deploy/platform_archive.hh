// The platform itself as an archive: what brings a machine back, beside its apps. platform.json has the keys, the
// backup targets and their schedules; server.toml, the host key and the account with the CA are files.
#pragma once

#include <string>
#include <vector>

#include "archive/tar.hh"
#include "deploy/platform.hh"

namespace pushrod {

PackList prepare_platform_archive(const Platform& platform, const Transfer& transfer);

struct ArchivedPlatform {
  struct ArchivedKey {
    std::string name, public_key, fingerprint;
    Role role = Role::View;
    bool all_apps = false;
    std::vector<std::string> apps;
  };
  struct ArchivedTarget {
    std::string name, url, credentials;
  };
  WallTime made;
  std::vector<std::string> apps;
  std::vector<std::string> services;  // that no app was attached to
  std::vector<ArchivedKey> keys;
  std::vector<ArchivedTarget> targets;
  std::vector<BackupSchedule> schedules;
};
// Of a transfer that was filled with it. Throws UserError for what is none.
ArchivedPlatform read_platform_archive(const Transfer& transfer);

// Puts files and rows in place, in a root without apps. Said again after a crash it does the rest. Keys for some apps
// come with add_missing_keys(), once these are there.
void place_platform(const Layout& layout, Store& store, const Transfer& transfer, const ArchivedPlatform& platform);
void add_missing_keys(Store& store, const ArchivedPlatform& platform);

}  // namespace pushrod
