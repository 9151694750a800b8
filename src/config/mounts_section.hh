// [mounts], in server.toml: the directories of this machine that apps may mount; in pushrod.toml: those that an app
// mounts.
// Used inside config/ only.
//
//   [mounts.media]                      # server.toml
//   path = "/srv/media"                 # absolute, no symlinks (that is looked at when it is mounted)
//   apps = ["shop", "blog"]             # the only ones that may mount it
//   read_only = false                   # default: true
//
//   [mounts]                            # pushrod.toml
//   "/srv/media" = "media"              # at or below /srv, /mnt or /media, where no sandbox has anything else
//   "/mnt/maps" = { name = "maps", read_only = true }
#pragma once

#include "config/toml_section.hh"
#include "model/host_mount.hh"

namespace pushrod {

OfferedDirectories read_offered_directories(TomlSection section);
HostMounts read_host_mounts(TomlSection section);

}  // namespace pushrod
